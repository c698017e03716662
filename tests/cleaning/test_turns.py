"""Turns: their order, and what is done about empty and repeated ones."""

from types import SimpleNamespace
from typing import Any

import pytest

from stages.cleaning import turns
from stages.params.cleaning import Turns
from stages.rows.row import Chat, Judged, Message, Pair, Text

STRICT = Turns(roles="alternating", repeated="once")
SPELT = {"s": "system", "u": "user", "a": "assistant", "t": "tool", "c": "critic"}


def conversation(spelt: str) -> list[Message]:
    """Turns from their short form: `u1 a2` is a user's "1" and an assistant's "2"; `u` is an empty turn."""
    return [Message(SPELT[word[0]], word[1:]) for word in spelt.split()]


@pytest.mark.parametrize(
    ("before", "after", "rules"),
    [
        ("u1 a1", "u1 a1", []),
        ("s u1 a1", "u1 a1", ["empty_turn"]),
        ("u1 u1 a1", "u1 a1", ["repeated_turn"]),
        ("u1 u1 u1 a1 a1", "u1 a1", ["repeated_turn"]),
        ("u1 a1 u1 a1", "u1 a1", ["repeated_turn"]),
        ("s1 u1 a1 u2 a2 u2 a2 u3 a3", "s1 u1 a1 u2 a2 u3 a3", ["repeated_turn"]),
        ("u1 a1 u2 a1", "u1 a1 u2 a1", []),  # two questions may have one answer
        ("u1 a1 u2 a2 u1 a1", "u1 a1 u2 a2 u1 a1", []),
        ("u1 a1 u2 a1 u2 a2", "u1 a1 u2 a1 u2 a2", []),
        ("u1 a1 t1 t1 a2", "u1 a1 t1 t1 a2", []),  # a tool may well say the same again
        ("s s1 s1 u1 a1", "s1 u1 a1", ["empty_turn", "repeated_turn"]),
    ],
)
def test_empty_system_turns_and_repeats_are_removed(before: str, after: str, rules: list[str]) -> None:
    assert turns.tidy(Chat(conversation(before)), STRICT) == (Chat(conversation(after)), rules)


def test_of_a_pair_only_the_prompt_is_tidied() -> None:
    good, bad = conversation("a1"), conversation("a2")

    tidied = turns.tidy(Pair(conversation("s u1 u1"), good, bad), STRICT)

    assert tidied == (Pair(conversation("u1"), good, bad), ["empty_turn", "repeated_turn"])


@pytest.mark.parametrize("repeated", ["once", "drop"])
def test_an_answer_that_is_bad_because_it_repeats_keeps_what_it_answers_to(repeated: Any) -> None:
    prompt, repeat, other = conversation("u1 a1 u1"), conversation("a1"), conversation("a2")
    params = Turns(roles="alternating", repeated=repeated)

    for content in (Judged(prompt, repeat, False), Pair(prompt, other, repeat), Pair(prompt, repeat, other)):
        assert turns.tidy(content, params) == (content, [])
        assert turns.problem(content, params) is None


def test_a_tidied_row_keeps_its_judgement_its_tools_its_reasoning_and_its_masks() -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    answers = [Message("assistant", "a", reasoning_content="r", train=False), Message("assistant", "a", train=False)]
    before, after = conversation("s u1 u1"), conversation("u1")

    for content, tidied in (
        (Judged(before, answers[:1], False, [tool]), Judged(after, answers[:1], False, [tool])),
        (Pair(before, answers[:1], answers[1:], [tool]), Pair(after, answers[:1], answers[1:], [tool])),
        (Chat([*before, *answers[:1]], [tool]), Chat([*after, *answers[:1]], [tool])),
    ):
        assert turns.tidy(content, STRICT) == (tidied, ["empty_turn", "repeated_turn"])


def test_turns_that_differ_in_what_the_loss_sees_are_no_repeats() -> None:
    seen, unseen = Message("assistant", "1"), Message("assistant", "1", train=False)
    chat = Chat([*conversation("u1"), unseen, *conversation("u1"), seen])

    assert turns.tidy(chat, STRICT) == (chat, [])


@pytest.mark.parametrize("repeated", ["keep", "drop"])
def test_repeats_are_kept_or_drop_the_row_as_params_say(repeated: Any) -> None:
    chat = Chat(conversation("u1 u1 a1"))

    assert turns.tidy(chat, Turns(roles="any", repeated=repeated)) == (chat, [])
    problem = turns.problem(chat, Turns(roles="any", repeated=repeated))
    assert (problem and problem[0]) == ("repeated_turn" if repeated == "drop" else None)


@pytest.mark.parametrize("spelt", ["u1 a1", "s1 u1 a1", "u1 a1 u2 a2", "s1 u1 a1 u2 a2 u3 a3"])
def test_a_system_turn_and_then_user_and_assistant_in_turn_are_in_order(spelt: str) -> None:
    assert turns.problem(Chat(conversation(spelt)), STRICT) is None


@pytest.mark.parametrize(
    ("spelt", "detail"),
    [
        ("a1 u1 a1", "turn 1: assistant at the start: want system or user"),
        ("s1 a1", "turn 2: assistant after system: want user"),
        ("s1 s2 u1 a1", "turn 2: system after system: want user"),
        ("u1 s1 a1", "turn 2: system after user: want assistant"),
        ("u1 u2 a1", "turn 2: user after user: want assistant"),
        ("u1 a1 a2", "turn 3: assistant after assistant: want user"),
        ("u1 a1 t1 a2", f"turn 3: tool after an assistant that calls none: want {turns.CALLS}"),
        ("u1 t1 a1", "turn 2: tool after user: want assistant"),
    ],
)
def test_any_other_order_is_reported_by_its_first_wrong_turn(spelt: str, detail: str) -> None:
    assert turns.problem(Chat(conversation(spelt)), STRICT) == ("role_order", detail)
    assert turns.problem(Chat(conversation(spelt)), Turns(roles="any", repeated="once")) is None


def test_an_unknown_role_is_reported_by_name() -> None:
    expected = ("unknown_role", "turn 2: 'critic': want one of system, user, assistant, tool")

    for roles in ("any", "alternating"):
        assert turns.problem(Chat(conversation("u1 c1 a1")), Turns(roles=roles, repeated="once")) == expected


@pytest.mark.parametrize("spelt", ["u1 a u2 a2", "u1 a1 u a2"])
def test_an_empty_turn_drops_its_row(spelt: str) -> None:
    reason, detail = turns.problem(Chat(conversation(spelt)), STRICT)

    assert reason == "empty_turn"
    assert detail in ("turn 2: assistant says nothing", "turn 3: user says nothing")


def test_a_prompt_that_ends_with_an_answer_is_out_of_order() -> None:
    pair = Pair(conversation("u1 a1"), conversation("a2"), conversation("a3"))

    assert turns.problem(pair, STRICT) == ("role_order", "turn 3: assistant after assistant: want user")


@pytest.mark.parametrize(
    "call",
    [
        'So: <tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>',
        '[TOOL_CALLS] [{"name": "f", "arguments": {}}]',
        '<|python_tag|>{"name": "f", "parameters": {}}',
        '<tool_call>{"name": "f"}</tool_call>',
        '<tool_call>{"name": "f", "arguments": ""}</tool_call>',
        "<|tool_call>call:f{}<tool_call|>",
    ],
)
def test_a_call_that_is_written_in_a_text_is_one_too(call: str) -> None:
    user, *rest = conversation("u1 t1 t2 a1 u2 a2")

    assert turns.problem(Chat([user, Message("assistant", call), *rest]), STRICT) is None
    assert turns.problem(Chat([user, Message("assistant", call), *rest[3:]]), STRICT) is None
    assert turns.problem(Chat([user, Message("assistant", "Shall I?"), *rest]), STRICT) == (
        "role_order",
        f"turn 3: tool after an assistant that calls none: want {turns.CALLS}",
    )


def test_tools_answer_a_call_before_the_assistant_does() -> None:
    call = SimpleNamespace(role="assistant", content="", tool_calls=["f"])
    user, *rest = conversation("u1 t1 t1 a1 u2 a2")

    assert turns.problem(Chat([user, call, *rest]), STRICT) is None
    assert turns.problem(Chat([user, call, rest[2]]), STRICT) == (
        "role_order",
        "turn 3: assistant after a call of a tool: want tool",
    )


def test_texts_have_no_turns() -> None:
    assert turns.tidy(Text("x"), STRICT) == (Text("x"), [])
    assert turns.problem(Text("x"), STRICT) is None
