"""Examples are chosen by a declared rule from single questions, and stand between instructions and question."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.evaluating import shots
from stages.params.alternatives import NO_EXAMPLES, ByTransformers, Seeded, Similar
from stages.rows import jsonl
from stages.rows.row import Chat, Function, Message, Row, Text, ToolCall, make_row


def chat(question: str, answer: str = "yes", system: str = "") -> Row:
    turns = [Message("user", question), Message("assistant", answer)]
    return make_row(Chat([*([Message("system", system)] if system else []), *turns]))


def asked(folder: Path, rows: list[Row], pool: list[Row], rule, instructions: str | None = None) -> shots.Asked:
    jsonl.write(folder / "pool.jsonl", pool)
    params = ByTransformers("models/base", "pool.jsonl", rule, instructions, answer_schema=None)
    return shots.asked(rows, folder / "pool.jsonl", params)


def said(conversation: dict) -> list[tuple[str, str]]:
    return [(turn["role"], turn["content"]) for turn in conversation["messages"]]


KETTLE, TOASTER, MIXER = chat("Where is my kettle?", "post"), chat("Is the toaster blue?"), chat("Mix faster?", "no")
ROWS = [chat("Where is my new kettle now?", "?"), chat("Is your toaster really blue?", "?")]


def test_similar_examples_share_most_letters_and_the_most_alike_comes_last(tmp_path: Path) -> None:
    pool = [KETTLE, TOASTER, MIXER, chat("Where is my new kettle?", "depot")]

    found = asked(tmp_path, ROWS, pool, Similar(2))

    assert said(found.conversations[0]) == [
        ("user", "Where is my kettle?"), ("assistant", "post"),
        ("user", "Where is my new kettle?"), ("assistant", "depot"), ("user", "Where is my new kettle now?"),
    ]  # fmt: skip
    assert found.shown[0] == [KETTLE.id, pool[3].id] and found.shown[1][-1] == TOASTER.id


def test_similarity_is_jaccard_of_shingles_and_equals_come_by_id(tmp_path: Path) -> None:
    from stages.similarity.shingles import jaccard, shingles

    pool = [chat(f"{word} one two three {n}") for n, word in enumerate(["alpha", "beta", "gamma", "one"] * 5)]
    pool += [chat("no letters in common?"), chat("none here, either!")]
    [row] = [chat("one two three 4")]

    [shown] = asked(tmp_path, [row], pool, Similar(len(pool))).shown

    def alike(other: Row) -> float:
        return jaccard(*(shingles(r.content.messages[0].content, shots.CHARS) for r in (row, other)))

    assert shown == [r.id for r in sorted(pool, key=lambda r: (-alike(r), r.id))][::-1]


def test_a_block_of_questions_has_the_examples_of_each_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = [KETTLE, TOASTER, MIXER]
    whole = asked(tmp_path, ROWS, pool, Similar(2)).shown
    monkeypatch.setattr(shots, "BLOCK", 1)

    assert asked(tmp_path, ROWS, pool, Similar(2)).shown == whole
    assert [asked(tmp_path, [row], pool, Similar(2)).shown[0] for row in ROWS] == whole


def test_seeded_examples_are_the_same_for_all_questions_and_an_added_row_moves_none_of_the_others(
    tmp_path: Path,
) -> None:
    pool = [chat(f"question {n}") for n in range(20)]

    first, again = (asked(tmp_path, ROWS, of, Seeded(19, 1)).shown for of in (pool, pool[::-1]))
    more = asked(tmp_path, ROWS, [*pool, KETTLE], Seeded(20, 1)).shown[0]

    assert first == again and first[0] == first[1]
    assert asked(tmp_path, ROWS, pool, Seeded(19, 2)).shown != first
    assert [id for id in more if id in first[0]] == [id for id in first[0] if id in more]


def test_one_system_message_holds_the_instructions_and_that_of_the_question_none_of_examples(tmp_path: Path) -> None:
    rows, pool = [chat("q?", system="Be kind.")], [chat("Where is my kettle?", "post", system="Be short.")]

    [conversation] = asked(tmp_path, rows, pool, Similar(1), "Say where.").conversations

    assert said(conversation) == [
        ("system", "Say where.\n\nBe kind."), ("user", "Where is my kettle?"), ("assistant", "post"), ("user", "q?"),
    ]  # fmt: skip


def test_without_examples_nothing_is_read(tmp_path: Path) -> None:
    params = ByTransformers("models/base", NO_EXAMPLES, None, "Say where.", answer_schema=None)

    found = shots.asked(ROWS[:1], tmp_path / "none", params)

    assert said(found.conversations[0]) == [("system", "Say where."), ("user", "Where is my new kettle now?")]
    assert found.shown == [[]]


def test_examples_are_single_questions_answered_in_words() -> None:
    turns = [Message("user", "q"), Message("assistant", "a")]
    call = Message("assistant", "", [ToolCall(Function("f", {}), "function")])
    others = [
        Chat([*turns, *turns]), Chat([turns[0], call]), Text("q"),
        Chat(turns, [{"name": "f", "parameters": {}}]), Chat([Message("system", "s"), Message("assistant", "a")]),
    ]  # fmt: skip

    assert [shots.is_usable(make_row(content)) for content in others] == [False] * len(others)
    assert shots.is_usable(chat("q", system="s"))


@pytest.mark.parametrize("rule", [Similar(2), Seeded(2, 1)])
def test_rows_that_are_asked_and_their_questions_are_never_shown(tmp_path: Path, rule) -> None:
    again = chat("where is  my new KETTLE now?", "depot", system="Be kind.")  # another id, the same question
    pool = [KETTLE, TOASTER, ROWS[0], again]

    found = asked(tmp_path, ROWS, pool, rule)

    assert [sorted(of_row) for of_row in found.shown] == [sorted([KETTLE.id, TOASTER.id])] * 2
    assert found.held_out == 2


def test_examples_that_are_all_held_out_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="0 examples of one question and its answer, without tools, without 2 that are"):
        asked(tmp_path, ROWS, ROWS, Similar(1))


def test_too_few_examples_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        asked(tmp_path, ROWS, [KETTLE, make_row(Text("t"))], Similar(2))

    assert str(error.value) == (
        f"{tmp_path}/pool.jsonl: 1 examples of one question and its answer, without tools: want at least shots.n = 2"
    )
