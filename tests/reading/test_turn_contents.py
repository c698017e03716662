"""Contents in parts: their texts, reasoning, calls and results, in any vendor's spelling, or an error."""

from typing import Any

import pytest

from stages.reading.turn_contents import content_text, read
from stages.rows.row import Function, Message, ToolCall

CALL = ToolCall(Function("f", {"n": 1}), "function")


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a", ([], "", "a", [])),
        (None, ([], "", None, [])),
        ([], ([], "", "", [])),
        ([text("Line 1"), "Line 2", text("")], ([], "", "Line 1\nLine 2", [])),
        ([{"type": "output_text", "text": "a"}, {"text": "b", "thought": False}], ([], "", "a\nb", [])),
        (  # Anthropic
            [{"type": "thinking", "thinking": "r"}, text("a"), {"type": "tool_use", "name": "f", "input": {"n": 1}}],
            ([], "r", "a", [CALL]),
        ),
        (
            [{"type": "tool_result", "tool_use_id": "7", "content": [text("1"), text("2")]},
             {"type": "tool_result", "tool_use_id": "8"}, text("u")],
            ([Message("tool", "1\n2", tool_call_id="7"), Message("tool", "", tool_call_id="8")], "", "u", []),
        ),
        (  # Gemini
            [{"text": "r", "thought": True}, {"text": "a"}, {"functionCall": {"name": "f", "args": {"n": 1}}}],
            ([], "r", "a", [CALL]),
        ),
        ([{"type": "text", "text": "r", "thought": True}, text("a")], ([], "r", "a", [])),
        ([{"type": "text", "text": "a", "thought": "false"}], ([], "", "a", [])),
        (
            [{"functionResponse": {"name": "f", "response": {"é": 1}}}, {"function_response": {"name": "g", "id": 3}}],
            ([Message("tool", '{"é": 1}', name="f"), Message("tool", "{}", name="g", tool_call_id="3")], "", "", []),
        ),
        ([{"type": "thinking", "thinking": [text("r")]}, text("a")], ([], "r", "a", [])),  # Mistral
    ],
)  # fmt: skip
def test_a_content_says(content: Any, said: tuple) -> None:
    assert read(content) == said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"type": "image_url", "url": "x"}], "content of type 'image_url': want text; nothing else is trained on"),
        ([{"data": 1}], "content of type None: want text; nothing else is trained on"),
        ([3], "part of a content: 3: want an object"),
        ([{"type": "tool_use", "name": "f"}, text("a")], "text after calls in one turn: want turns of their own"),
        ([text("a"), {"text": "r", "thought": True}], "reasoning after text in one turn: want turns of their own"),
    ],
)  # fmt: skip
def test_what_no_turn_can_say_is_an_error(content: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        read(content)

    assert str(raised.value) == message


def test_a_text_says_nothing_but_a_text() -> None:
    assert content_text([text("a")]) == "a"
    with pytest.raises(ValueError, match="want text"):
        content_text([{"type": "tool_use", "name": "f"}])
