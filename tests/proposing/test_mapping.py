"""Fields are mapped by their names where these tell one mapping; else it is said why they do not."""

from typing import Any

import pytest

from stages.proposing import file_rule
from stages.proposing.mapping import Asked, Mapping, propose


@pytest.mark.parametrize(
    ("record", "format", "fields"),
    [
        (
            {"ID": "c1", "Body": "Dan had $3.", "Question": "How much?", "Equation": "( 4 - 3 )", "Answer": 1.0},
            "completion", {"context": "Body", "prompt": "Question", "completion": "Answer"},
        ),
        (
            {"task_id": "H/0", "prompt": "def f():", "entry_point": "f", "canonical_solution": "  pass", "test": "x"},
            "completion", {"prompt": "prompt", "completion": "canonical_solution"},
        ),
        (
            {"sentences": [{"original": "Who ?", "question-split": "dev", "text": "Who?"}], "sql": ["SELECT 1"],
             "query-split": "N/A"},
            "completion",
            {"prompt": "sentences.0.text", "completion": "sql.0", "split": "sentences.0.question-split"},
        ),
        ({"correctAnswer": "b", "userQuestion": "a"}, "completion",
         {"prompt": "userQuestion", "completion": "correctAnswer"}),
        ({"utterance": "Where is it?", "intent": "card"}, "labelled", {"text": "utterance", "label": "intent"}),
        ({"query": "a", "better": "b", "worse": "c"}, "pairs",
         {"prompt": "query", "chosen": "better", "rejected": "worse"}),
        ({"context": "The cat sat.", "question": "Who sat?", "answers": {"text": ["The cat"], "answer_start": [0]}},
         "completion", {"context": "context", "prompt": "question", "completion": "answers.text.0"}),
        ({"question": {"text": "a", "id": "1"}, "answer": {"text": "b", "length": 1}}, "completion",
         {"prompt": "question.text", "completion": "answer.text"}),
        ({"input": {"messages": [{"role": "user", "content": "q"}]}, "preferred_output": [],
          "non_preferred_output": []}, "pairs",
         {"prompt": "input.messages", "chosen": "preferred_output", "rejected": "non_preferred_output"}),
        ({"url": "http://x.org", "content": "Long prose."}, "text", {"text": "content"}),
    ],
)  # fmt: skip
def test_names_tell_the_format_and_its_fields(record: dict[str, Any], format: str, fields: dict[str, str]) -> None:
    assert propose([record] * 3) == Mapping(format, fields)


def test_a_whole_name_is_better_than_a_word_of_it_and_an_outer_field_better_than_an_inner_one() -> None:
    records = [{"question": "a", "question_id": "7", "meta": {"question": "b"}, "answer": "c"}]

    assert propose(records) == Mapping("completion", {"prompt": "question", "completion": "answer"})


def test_a_field_that_few_records_have_is_no_answer() -> None:
    records = [{"question": "a", "answer": ""}] * 9 + [{"question": "a", "answer": "b"}]

    assert isinstance(propose(records), Asked)


def test_two_fields_that_could_both_be_the_answer_are_told_and_none_is_taken() -> None:
    found = propose([{"question": "a", "first": {"answer": "b"}, "second": {"answer": "c"}}])

    assert found == Asked("first.answer and second.answer could each be the completion of completion")


def test_unknown_names_are_told() -> None:
    found = propose([{"a": "x", "b": {"c": 1}}])

    assert found == Asked("no name among a, b.c is known for a question with its answer, or a text")


def test_a_field_of_splits_is_taken_only_if_every_value_names_one() -> None:
    def fields(*values: str) -> dict[str, str]:
        found = propose([{"question": "a", "answer": "b", "split": value} for value in values])
        assert isinstance(found, Mapping)
        return found.fields

    assert fields("train", "dev")["split"] == "split"
    assert "split" not in fields("train", "hard")


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([i // 4 for i in range(80)], True),
        ([f"c{i // 4}" for i in range(80)], True),
        (list(range(80)), False),
        ([i // 40 for i in range(80)], False),
        ([i / 2 // 2 for i in range(80)], False),
    ],
)
@pytest.mark.parametrize("name", ["conversation_id", "dialogueId", "session_id", "thread_id", "parent_id"])
def test_ids_of_dialogues_that_have_several_records_are_their_group(name: str, ids: list[Any], expected: bool) -> None:
    found = propose([{"question": f"a{i}", "reply": f"b{i}", name: id} for i, id in enumerate(ids)])

    assert (found.fields.get("group") == name) == expected


def test_dialogues_of_a_known_format_are_grouped_too() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    values = [{"messages": turns * (i % 3 + 1), "conversation_id": i // 3} for i in range(60)]

    found = file_rule.propose("a.jsonl", values)

    assert found.rule["fields"] == {"messages": "messages", "group": "conversation_id"}
    assert found.notes == ["its field conversation_id names what belongs together: one split has all rows of a value"]


@pytest.mark.parametrize("name", ["bad_response", "wrongAnswer", "incorrect_answer"])
def test_an_answer_that_is_called_bad_is_not_learnt(name: str) -> None:
    assert isinstance(propose([{"question": "a", name: "b"}] * 3), Asked)
