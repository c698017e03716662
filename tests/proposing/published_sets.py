"""Records in the published shapes of data sets, and the rows that they mean.

The records are hand-written; each has the fields, and the shapes of values, of the card of its set.
"""

import json
from collections.abc import Callable
from typing import Any

from stages.rows.row import Chat, Content, Function, Judged, Message, Pair, ToolCall
from tests.ingest_run import chat

Record = dict[str, Any]
Made = Record | Callable[[int], Record]
TURNS = [{"role": "user", "content": "Say {i}."}, {"role": "assistant", "content": "{i}!"}]
WORSE = [TURNS[0], {"role": "assistant", "content": "No {i}."}]
PAIR = Pair([Message("user", "Say 5.")], [Message("assistant", "5!")], [Message("assistant", "No 5.")])
SEARCH = {"name": "search", "description": "Finds.", "parameters": {"n": {"description": "What.", "type": "int"}}}
ROUNDS = Chat([Message("user", "Hi 5."), Message("assistant", "Ho."), Message("user", "Why?"),
               Message("assistant", "So.")])  # fmt: skip
THOUGHT = Chat([Message("user", "Who is 5?"), Message("assistant", "5", reasoning_content="It follows.")])
CALL = Message("assistant", "", [ToolCall(Function("search", {"n": 5}), "function")])

SETS: dict[str, tuple[Made, Content]] = {  # name: (record number {i}, the row of number 5)
    "MMLU": (
        lambda i: {"question": f"How much is {i} + 1?", "subject": "arithmetic",
                   "choices": [str(i), str(i + 1), "none of them", "all of them"], "answer": i % 2},
        chat("How much is 5 + 1?\nA. 5\nB. 6\nC. none of them\nD. all of them", "B"),
    ),
    "MMLU as Parquet has it, with the names of its labels": (
        {"question": "Which is {i}?", "subject": "s", "choices": ["a{i}", "b", "c", "d"], "answer": "C"},
        chat("Which is 5?\nA. a5\nB. b\nC. c\nD. d", "C"),
    ),
    "MMLU-Pro": (
        {"question_id": 70, "question": "Which is {i}?", "options": ["a{i}", "b", "c"], "answer": "B",
         "answer_index": 1, "category": "business", "src": "ori_mmlu-business_ethics"},
        chat("Which is 5?\nA. a5\nB. b\nC. c", "B"),
    ),
    "ARC": (
        {"id": "Mercury_{i}", "question": "Which is {i}?", "choices": {"text": ["x{i}", "y"], "label": ["1", "2"]},
         "answerKey": "2"},
        chat("Which is 5?\n1. x5\n2. y", "2"),
    ),
    "CommonsenseQA": (
        {"id": "1afa{i}", "question": "Where is {i}?", "question_concept": "place",
         "choices": {"label": ["A", "B"], "text": ["bank{i}", "library"]}, "answerKey": "A"},
        chat("Where is 5?\nA. bank5\nB. library", "A"),
    ),
    "RACE": (
        {"example_id": "high{i}.txt", "article": "Ann has {i} cats.", "answer": "A", "question": "How many?",
         "options": ["{i} cats", "none"]},
        chat("Ann has 5 cats.\n\nHow many?\nA. 5 cats\nB. none", "A"),
    ),
    "MMLU in CSV, with a column for each choice": (
        {"question": "Which is {i}?", "A": "a{i}", "B": "b", "C": "c", "D": "d", "answer": "C"},
        chat("Which is 5?\nA. a5\nB. b\nC. c\nD. d", "C"),
    ),
    "choices as a table of texts has them": (
        lambda i: {"question": f"Which is {i}?", "options": f"['a{i}', 'b']", "answer": str(i % 2)},
        chat("Which is 5?\nA. a5\nB. b", "B"),
    ),
    "choices counted from 1": (
        lambda i: {"question": f"Which is {i}?", "choices": ["a", "b"], "answer": i % 2 + 1},
        chat("Which is 5?\nA. a\nB. b", "B"),
    ),
    "choices counted from 1, in texts": (
        lambda i: {"question": f"Which is {i}?", "choices": ["a", "b", "c", "d"], "answer": str(i % 4 + 1)},
        chat("Which is 5?\nA. a\nB. b\nC. c\nD. d", "B"),
    ),
    "ReClor": (
        lambda i: {"context": f"Ann has {i} cats.", "question": "How many?", "answers": ["no", f"{i}", "all", "few"],
                   "label": i % 4, "id_string": f"train_{i}"},
        chat("Ann has 5 cats.\n\nHow many?\nA. no\nB. 5\nC. all\nD. few", "B"),
    ),
    "Social IQa": (
        lambda i: {"context": f"Ann has {i} cats.", "question": "Why?", "answerA": "no", "answerB": f"{i}",
                   "answerC": "all", "label": str(i % 3 + 1)},
        chat("Ann has 5 cats.\n\nWhy?\nA. no\nB. 5\nC. all", "C"),
    ),
    "CosmosQA": (
        lambda i: {"id": f"3{i}", "context": f"Ann has {i} cats.", "question": "Why?", "answer0": "no",
                   "answer1": f"{i}", "answer2": "all", "answer3": "few", "label": i % 4},
        chat("Ann has 5 cats.\n\nWhy?\nA. no\nB. 5\nC. all\nD. few", "B"),
    ),
    "HellaSwag": (
        lambda i: {"ind": i, "activity_label": "Cats", "ctx_a": f"Ann has {i} cats.", "ctx_b": "she",
                   "ctx": f"Ann has {i} cats. she", "endings": ["runs.", "sits.", "eats.", "sleeps."],
                   "source_id": "activitynet~v_-1", "split": "train", "split_type": "indomain", "label": str(i % 4)},
        chat("Ann has 5 cats. she\nA. runs.\nB. sits.\nC. eats.\nD. sleeps.", "B"),
    ),
    "PIQA": (
        lambda i: {"goal": f"Feed {i} cats.", "sol1": "Fish.", "sol2": "Stones.", "label": i % 2},
        chat("Feed 5 cats.\nA. Fish.\nB. Stones.", "B"),
    ),
    "Winogrande": (
        lambda i: {"sentence": f"Ann has {i} cats and Bo none, so _ buys fish.", "option1": "Ann", "option2": "Bo",
                   "answer": "1"},
        chat("Ann has 5 cats and Bo none, so _ buys fish.\nA. Ann\nB. Bo", "A"),
    ),
    "MedMCQA": (
        lambda i: {"id": f"a{i}", "question": f"Which is {i}?", "opa": f"{i}", "opb": "b", "opc": "c", "opd": "d",
                   "cop": i % 4, "choice_type": "single", "exp": None, "subject_name": "s", "topic_name": None},
        chat("Which is 5?\nA. 5\nB. b\nC. c\nD. d", "B"),
    ),
    "MedQA": (
        {"question": "Which is {i}?", "answer": "b", "options": {"A": "{i}", "B": "b", "C": "c"}, "meta_info": "step1",
         "answer_idx": "B"},
        chat("Which is 5?\nA. 5\nB. b\nC. c", "B"),
    ),
    "ARC's own files": (
        {"id": "M_{i}", "question": {"stem": "Which is {i}?", "choices": [{"text": "x{i}", "label": "A"},
                                                                          {"text": "y", "label": "B"}]},
         "answerKey": "B"},
        chat("Which is 5?\nA. x5\nB. y", "B"),
    ),
    "right choices as pandas has them, in floats": (
        lambda i: {"question": f"Which is {i}?", "choices": ["a", "b"], "answer": float(i % 2)},
        chat("Which is 5?\nA. a\nB. b", "B"),
    ),
    "xLAM": (
        {"id": 3, "query": "Find {i}.", "answers": '[{"name": "search", "arguments": {"n": {i}}}]',
         "tools": json.dumps([SEARCH])},
        Chat([Message("user", "Find 5."), CALL], [{"type": "function", "function": SEARCH}]),
    ),
    "calls under other names": (
        {"question": "Find {i}.", "function": [SEARCH], "calls": [{"name": "search", "arguments": '{"n": {i}}'}]},
        Chat([Message("user", "Find 5."), CALL], [{"type": "function", "function": SEARCH}]),
    ),
    "UltraFeedback binarized": (
        {"prompt": "Say {i}.", "prompt_id": "0f{i}", "chosen": TURNS, "rejected": WORSE, "messages": TURNS,
         "score_chosen": 8.5, "score_rejected": 3.0},
        PAIR,
    ),
    "UltraFeedback cleaned": (
        {"source": "evol_instruct", "prompt": "Say {i}.", "chosen": TURNS, "chosen-rating": 4.5,
         "chosen-model": "m", "rejected": WORSE, "rejected-rating": 4, "rejected-model": "n"},
        PAIR,
    ),
    "Orca pairs": (
        {"system": "Be short.", "question": "Say {i}.", "chosen": "{i}!", "rejected": "No {i}."},
        Pair([Message("system", "Be short."), *PAIR.prompt], PAIR.chosen, PAIR.rejected),
    ),
    "HH-RLHF": (
        {"chosen": "\n\nHuman: Say {i}.\n\nAssistant: {i}!", "rejected": "\n\nHuman: Say {i}.\n\nAssistant: No {i}."},
        PAIR,
    ),
    "preferences of OpenAI": (
        {"input": {"messages": TURNS[:1], "tools": [], "parallel_tool_calls": True}, "preferred_output": TURNS[1:],
         "non_preferred_output": WORSE[1:]},
        PAIR,
    ),
    "stance": ({"text": "I like {i}.", "target": "Tea", "label": "favor"}, chat("Tea\n\nI like 5.", "favor")),
    "SNLI": ({"premise": "{i} cats.", "hypothesis": "Cats.", "label": 0}, chat("5 cats.\n\nCats.", "0")),
    "MRPC": ({"sentence1": "It is {i}.", "sentence2": "It is.", "label": 1, "idx": 4}, chat("It is 5.\n\nIt is.", "1")),
    "GoEmotions": (
        {"text": "Oh {i}!", "labels": [2, 7], "id": "ed{i}"}, chat("Oh 5!", '{"intent": [2, 7]}'),
    ),
    "Argilla": (
        {"id": "a{i}", "status": "completed", "fields": {"text": "Buy {i}!"}, "metadata": {},
         "suggestions": {"spam": {"value": "no", "score": 0.6, "agent": "m"}},
         "responses": {"label": [{"value": "yes", "user_id": "u"}]}, "vectors": {}},
        chat("Buy 5!", '{"intent": "yes"}'),
    ),
    "user, assistant, system": (
        {"user": "Say {i}.", "assistant": "{i}!", "system": "Be short."},
        Chat([Message("system", "Be short."), Message("user", "Say 5."), Message("assistant", "5!")]),
    ),
    "OpenOrca": (
        {"id": "niv.{i}", "system_prompt": "Be short.", "question": "Say {i}.", "response": "{i}!"},
        Chat([Message("system", "Be short."), Message("user", "Say 5."), Message("assistant", "5!")]),
    ),
    "MATH": (
        {"problem": "What is {i}?", "level": "Level 5", "type": "Algebra", "solution": "It is $\\boxed{{i}}$."},
        chat("What is 5?", "It is $\\boxed{5}$."),
    ),
    "MATH-500": (
        {"problem": "What is {i}?", "solution": "It is $\\boxed{{i}}$.", "answer": "{i}", "subject": "Algebra",
         "level": 3, "unique_id": "test/algebra/{i}.json"},
        chat("What is 5?", "It is $\\boxed{5}$."),
    ),
    "Dolly": (
        {"instruction": "Who is it?", "context": "It is {i}.", "response": "{i}", "category": "closed_qa"},
        chat("It is 5.\n\nWho is it?", "5"),
    ),
    "Dolly, where most questions have no context": (
        lambda i: {"instruction": f"Who is {i}?", "context": "" if i % 5 else f"It is {i}.", "response": f"{i}"},
        chat("It is 5.\n\nWho is 5?", "5"),
    ),
    "alpaca with a story, where most questions have none": (
        lambda i: {"instruction": f"Who is {i}?", "output": f"{i}", "story": None if i % 5 else f"It is {i}."},
        chat("It is 5.\n\nWho is 5?", "5"),
    ),
    "several passages": (
        {"query": "Who is {i}?", "response": "{i}", "documents": ["It is {i}.", "It is it."]},
        chat("It is 5.\n\nIt is it.\n\nWho is 5?", "5"),
    ),
    "Capybara": (
        {"source": "x", "conversation": [{"input": "Hi {i}.", "output": "Ho."}, {"input": "Why?", "output": "So."}]},
        ROUNDS,
    ),
    "rounds of a dialogue": (
        {"id": 3, "dialog": [["Hi {i}.", "Ho."], ["Why?", "So."]]}, ROUNDS,
    ),
    "turns of a role and a text": (
        {"id": 3, "dialog": [["User", "Hi {i}."], ["Assistant", "Ho."], ["User", "Why?"], ["Assistant", "So."]]},
        ROUNDS,
    ),
    "medical o1": (
        {"Question": "Who is {i}?", "Complex_CoT": "It follows.", "Response": "{i}"}, THOUGHT,
    ),
    "a switch of reasoning beside turns": ({"messages": TURNS, "reasoning": "off"}, chat("Say 5.", "5!")),
    "reasoning that is on": ({"input": "Say {i}.", "output": "{i}!", "thinking": True}, chat("Say 5.", "5!")),
    "s1K": (
        {"question": "Who is {i}?", "solution": "{i}", "thinking_trajectories": ["It follows."]}, THOUGHT,
    ),
    "an article": ({"question": "Who?", "answer": "{i}", "article": "It is {i}."}, chat("It is 5.\n\nWho?", "5")),
    "the name of a document": ({"question": "So {i}?", "answer": "{i}", "document": "a.pdf"}, chat("So 5?", "5")),
    "reasoning in steps": (
        {"query": "Who is {i}?", "response": "{i}", "solution_steps": ["It follows.", "So it is."]},
        Chat([Message("user", "Who is 5?"), Message("assistant", "5", reasoning_content="It follows.\nSo it is.")]),
    ),
    "choices after several passages": (
        {"question": "Who is {i}?", "options": ["{i}", "b"], "passages": ["It is {i}.", "Or b."], "answer": "A"},
        chat("It is 5.\n\nOr b.\n\nWho is 5?\nA. 5\nB. b", "A"),
    ),
    "answers that were approved, or not": (
        lambda i: {"instruction": f"Say {i}.", "output": f"{i}!", "approved": "no" if i % 2 else "yes"},
        Judged([Message("user", "Say 5.")], [Message("assistant", "5!")], False),
    ),
    "reasoning in a format": (
        {"instruction": "Who is {i}?", "output": "{i}", "rationale": "It follows."}, THOUGHT,
    ),
    "SQuAD": (
        {"id": "57{i}", "title": "Numbers", "context": "It is {i}.", "question": "Who?",
         "answers": {"text": ["{i}", "{i}."], "answer_start": [6, 6]}},
        chat("It is 5.\n\nWho?", "5"),
    ),
    "LMSYS-Chat": (
        {"conversation_id": "c{i}", "model": "m", "conversation": TURNS, "turn": 1, "language": "English",
         "redacted": False},
        chat("Say 5.", "5!"),
    ),
    "XSum": ({"document": "Long {i}.", "summary": "{i}", "id": "3{i}"}, chat("Long 5.", "5")),
    "CNN/DailyMail": ({"article": "Long {i}.", "highlights": "{i}", "id": "3{i}"}, chat("Long 5.", "5")),
    "BoolQ": (
        lambda i: {"question": f"are {i} even", "passage": f"It is {i}.", "answer": i % 2 == 0},
        chat("It is 5.\n\nare 5 even", "false"),
    ),
    "answers that are true or false": (
        lambda i: {"question": f"Is {i} even?", "answer": i % 2 == 0},
        chat("Is 5 even?", "false"),
    ),
    "lists of answers": ({"question": "Who is {i}?", "answer": ["{i}", "No {i}."]}, chat("Who is 5?", "5")),
    "answers found right or wrong": (
        lambda i: {"question": f"Say {i}.", "response": f"{i}!", "is_correct": i % 2 == 0},
        Judged([Message("user", "Say 5.")], [Message("assistant", "5!")], False),
    ),
    "answers found good or bad in numbers": (
        lambda i: {"prompt": f"Say {i}.", "completion": f"{i}!", "is_good": i % 2},
        Judged([Message("user", "Say 4.")], [Message("assistant", "4!")], False),
    ),
    "answers with a label that is true or false": (
        lambda i: {"query": f"Say {i}.", "reply": f"{i}!", "label": i % 2 == 0},
        Judged([Message("user", "Say 5.")], [Message("assistant", "5!")], False),
    ),
    "answers that are all found right": (
        {"question": "Say {i}.", "response": "{i}!", "is_correct": True}, chat("Say 5.", "5!"),
    ),
    "an answer that the label repeats": (
        lambda i: {"question": f"Is {i} even?", "answer": ("yes", "no")[i % 2], "label": ("yes", "no")[i % 2]},
        chat("Is 5 even?", "no"),
    ),
    "a class beside each answer": (
        lambda i: {"question": f"Is {i} even?", "answer": ("It is.", "It is not.")[i % 2], "label": (1, 0)[i % 2]},
        chat("Is 5 even?", "It is not."),
    ),
    "a class in words": (
        {"prompt": "Say {i}.", "completion": "{i}!", "label": "smalltalk"}, chat("Say 5.", "5!"),
    ),
    "a class that one record has not": (
        lambda i: {"question": f"Is {i} even?", "answer": ("It is.", "No.")[i % 2], "label": 1 - i % 2 if i else None},
        chat("Is 5 even?", "No."),
    ),
    "TRL's unpaired preferences, in numbers": (
        lambda i: {"prompt": f"Say {i // 2}.", "completion": f"{i}!", "label": i % 2},
        Judged([Message("user", "Say 2.")], [Message("assistant", "5!")], True),
    ),
    "alpaca with its whole text": (
        {"instruction": "Say {i}.", "input": "", "output": "{i}!", "text": "### Instruction:\nSay {i}.\n{i}!"},
        chat("Say 5.", "5!"),
    ),
    "a context beside prompt and completion": (
        {"prompt": "Who?", "completion": "{i}", "context": "It is {i}."}, chat("It is 5.\n\nWho?", "5"),
    ),
}  # fmt: skip


def record(made: Made, i: int) -> Record:
    return made(i) if callable(made) else json.loads(json.dumps(made).replace("{i}", str(i)))
