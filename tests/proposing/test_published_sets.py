"""What `init` proposes for data sets in their published shapes, and the rows that `ingest` makes of it, by value."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml

from modelmake.errors import UserError
from stages.params.data import FileRule
from stages.proposing.proposal import TOLERATED, of_ingest
from stages.proposing.splits import plan
from stages.proposing.survey import survey
from stages.rows.row import Chat, Message
from tests.ingest_run import lines, rows_of
from tests.ingest_run import run as ingest
from tests.proposing.published_sets import SETS, TURNS, WORSE, Made, record


@pytest.mark.parametrize("name", SETS)
def test_the_rows_of_a_published_set_hold_what_its_records_mean(name: str, tmp_path: Path) -> None:
    made, wanted = SETS[name]
    records = [record(made, i) for i in range(20)]
    file = tmp_path / "data.jsonl"
    file.write_text(lines(*records), "utf-8")

    found = survey([file], file, [])
    rules = next((d.value for d in of_ingest(found, plan(found), TOLERATED) if d.where == "ingest.files"), [])
    rules = msgspec.convert(rules, list[FileRule])
    result = ingest(tmp_path, {"data.jsonl": lines(*records)}, 0.0, rules=rules, judged="rows")

    contents = [row.content for row in rows_of(result, tmp_path)]
    assert wanted in contents
    assert len(contents) == 20


def test_every_question_of_a_list_becomes_a_row(tmp_path: Path) -> None:
    as_published = [
        {"title": "Numbers", "paragraphs": [
            {"context": f"It is {i}.", "qas": [
                {"id": "1", "question": "Who?", "answers": [{"text": f"{i}", "answer_start": 6}]},
                {"id": "2", "question": "What?", "answers": [{"text": "It", "answer_start": 0}]}]},
            {"context": f"Not {i}.", "qas": [{"id": "3", "question": "Who not?", "answers": [{"text": f"{i}"}]}]}]}
        for i in range(20)
    ]  # fmt: skip
    file = tmp_path / "data.jsonl"
    file.write_text(lines(*as_published), "utf-8")

    found = survey([file], file, [])
    (rule,) = next(d.value for d in of_ingest(found, plan(found), TOLERATED) if d.where == "ingest.files")
    result = ingest(tmp_path, {"data.jsonl": lines(*as_published)}, 0.0, rules=[msgspec.convert(rule, FileRule)])

    assert rule["fields"] == {
        "context": "paragraphs.*.context", "prompt": "paragraphs.*.qas.*.question",
        "completion": "paragraphs.*.qas.*.answers.0.text",
    }  # fmt: skip
    contents = [row.content for row in rows_of(result, tmp_path)]
    assert len(contents) == 60
    for question, answer in (("It is 5.\n\nWho?", "5"), ("It is 5.\n\nWhat?", "It"), ("Not 5.\n\nWho not?", "5")):
        assert Chat([Message("user", question), Message("assistant", answer)]) in contents


REFUSED: dict[str, tuple[Made, str]] = {  # name: (record, what is said)
    "UltraFeedback": (
        {"source": "x", "instruction": "Say {i}.", "models": ["m", "n"],
         "completions": [{"model": "m", "response": "{i}!", "overall_score": 8}, {"model": "n", "response": "No {i}.",
                                                                                  "overall_score": 2}],
         "correct_answers": ["None"], "incorrect_answers": ["None"]},
        "completions holds several answers to one question, each with completions.0.overall_score: ",
    ),
    "OpenAssistant": (
        {"message_id": "{i}", "parent_id": "3", "text": "Say {i}.", "role": "prompter", "lang": "en"},
        "each record is one turn of a conversation, by parent_id, role: want a record for each conversation",
    ),
    "Chatbot Arena": (
        {"question_id": "{i}", "winner": "model_a", "conversation_a": TURNS, "conversation_b": WORSE, "turn": 1},
        "conversation_a and conversation_b could each be the messages of messages",
    ),
    "HelpSteer": (
        {"prompt": "Say {i}.", "response": "{i}!", "helpfulness": 1, "verbosity": 2},
        "nothing reads helpfulness (a judgement of an answer; '1'): want it mapped or left out by name; to leave it "
        "out, write a recipe of yours and add `--recipe FILE.yaml`: `ingest: {files: [{glob: data.jsonl, format: "
        "completion, fields: {prompt: prompt, completion: response}, ignore: [helpfulness, verbosity]}]}`",
    ),
    "pairs whose scores contradict them": (
        lambda i: {"prompt": f"Say {i}.", "chosen": f"{i}!", "rejected": "No.", "score_chosen": i,
                   "score_rejected": 3},
        "nothing reads score_chosen (a judgement of an answer; '0'), score_rejected",
    ),
    "choices in two sets of columns": (
        {"question": "Which is {i}?", "A": "a{i}", "B": "b", "option1": "c", "option2": "d", "answer": "B"},
        "option1, option2, A, B may belong to the question, and would be left out",
    ),
    "choices that may be counted from 0 or from 1": (
        {"question": "Which is {i}?", "choices": ["a", "b", "c"], "answer": 1},
        "answer has neither 0 nor the number of choices: it may count from 0 or from 1: want to know which is "
        "which; write a recipe of yours and add `--recipe FILE.yaml`: `ingest: {files: [{glob: data.jsonl, format: "
        "multiple_choice, fields: {question: question, answer: answer, choices: choices}, ignore: []}]}`, or `ingest: "
        "{files: [{glob: data.jsonl, format: multiple_choice, fields: {question: question, answer_from_1: answer, "
        "choices: choices}, ignore: []}]}`; or name the other files only. Its fields: question, choices.0, answer",
    ),
    "choices beside prompt and completion": (
        {"prompt": "Which is {i}?", "completion": "b", "choices": ["a{i}", "b"]},
        "choices.0 may belong to the question, and would be left out",
    ),
    "APPS": (
        {"problem_id": 1, "question": "Print {i}.", "solutions": '["print({i})"]', "difficulty": "easy"},
        "solutions holds lists of answers as text: want one answer",
    ),
    "SciQ": (
        {"question": "Who is {i}?", "distractor1": "a", "distractor2": "b", "correct_answer": "c", "support": "s"},
        "distractor1, distractor2 may belong to the question, and would be left out",
    ),
    "TruthfulQA, with a mark for each choice": (
        lambda i: {"question": f"Is {i} even?", "mc1_targets": {"choices": ["It is.", "No."], "labels": [i % 2, 1]}},
        "mc1_targets.choices.0 may belong to the question, and would be left out",
    ),
    "choices counted from 1, some with a context": (
        lambda i: {"question": f"Which is {i}?", "choices": ["a", "b"], "answer": i % 2 + 1,
                   **({"context": "c"} if i else {})},
        "its answers may count the choices from 1: want the same fields in each record",
    ),
    "ratings on a scale": (
        lambda i: {"question": f"Say {i}.", "answer": f"{i}!", "rating": i % 5 + 1},
        "its field rating rates answers on a scale, 1 to 5: want good or bad: write true or false in its place, such "
        "as true from 4 of 5 on; or leave it out: write a recipe of yours and add `--recipe FILE.yaml`: `ingest: "
        "{files: [{glob: data.jsonl, format: null, fields: null, ignore: [rating]}]}`",
    ),
    "labels on a scale": (
        lambda i: {"prompt": f"Say {i // 2}.", "completion": f"{i}!", "label": i % 5 + 1},
        "its field label, 1 to 5, may rate answers on a scale, or say which class a text has: want good or bad: ",
    ),
    "labels of which -1 may be one": (
        lambda i: {"text": f"Say {i}.", "label": i % 3 - 1},
        "its field label is -1, 0, 1: -1 may be a class, or stand for none: want the name of the class in its place",
    ),
    "a label that may judge": (
        {"prompt": "Say {i}.", "completion": "{i}!", "label": 1},
        "its field label may judge the answers, or say which class a text has: want to know which; write a recipe of "
        "yours and add `--recipe FILE.yaml`: `ingest: {files: [{glob: data.jsonl, format: kto, fields: {prompt: "
        "prompt, completion: completion, label: label}, ignore: []}]}`, or `ingest: {files: [{glob: data.jsonl, "
        "format: null, fields: null, ignore: [label]}]}`; the first judges",
    ),
    "turns in other words": (
        {"id": 3, "dialogue": [{"speaker": "user", "utterance": "Say {i}."}, {"speaker": "bot", "utterance": "{i}!"}]},
        "dialogue.0.speaker tells whose turn it is: want turns with role and content, or with from and value",
    ),
    "questions and answers in two lists": (
        {"story": "It is {i}.", "questions": ["Who?", "What?"], "answers": ["{i}", "It"]},
        "questions.0 is the first of several and answers.0 is the first of 2: want a record for each",
    ),
    "passages of which a path can name the first alone": (
        {"query": "Who is {i}?", "response": "a", "passages": [{"text": "It is {i}."}, {"text": "It is more."}]},
        "nothing reads passages.*.text (a text that the question is about; 'It is more.')",
    ),
    "answers of which some are flagged": (
        lambda i: {"prompt": f"Say {i}.", "response": f"{i}!", "moderation": {"flagged": i % 5 == 0}},
        "nothing reads moderation.flagged (a judgement of an answer; 'True')",
    ),
    "mails with their answers": (
        {"subject": "Hi {i}", "body": "It broke {i} times.", "answer": "So {i}!", "status": "closed"},
        "answer may be the answer to body, and would be left out",
    ),
    "a persona": (
        {"instruction": "Say {i}.", "output": "{i}!", "persona": "pirate"},
        "nothing reads persona (an instruction beside the question; 'pirate'): want it mapped to system or left out",
    ),
    "a hypothesis without a label": (
        {"premise": "{i} cats.", "hypothesis": "Cats.", "question": "So?", "answer": "yes"},
        "hypothesis may belong to the question, and would be left out",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_set_that_names_alone_do_not_tell_is_asked_about(name: str, tmp_path: Path) -> None:
    made, said = REFUSED[name]
    file = tmp_path / "data.jsonl"
    file.write_text(lines(*(record(made, i) for i in range(20))), "utf-8")

    with pytest.raises(UserError) as error:
        survey([file], file, [])

    assert f"{file}: {said}" in str(error.value)


def test_an_entry_that_is_advised_is_read(tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text(lines(*(record(REFUSED["a label that may judge"][0], i) for i in range(20))), "utf-8")
    with pytest.raises(UserError) as error:
        survey([file], file, [])
    entries = [yaml.safe_load(text)["ingest"]["files"] for text in re.findall(r"`(ingest: .*?)`", str(error.value))]

    kinds = [{row.kind for row, _ in survey([file], file, msgspec.convert(e, list[FileRule])).rows.values()}
             for e in entries]  # fmt: skip

    assert kinds == [{"judged"}, {"chat"}]
