"""Text and calls of an answer, whatever form the chat template gives to calls."""

import pytest

from stages.answers import reply
from stages.answers.reply import Call, Reply
from stages.rows.row import Function, Message, ToolCall

TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
ONE, TWO = Call("f", {"a": 1}), Call("g", {})
JSON_TWO = '{"name": "g", "arguments": {}}'
JSON_ONE = '{"name": "f", "arguments": {"a": 1}}'


@pytest.mark.parametrize(
    ("answer", "text", "calls"),
    [
        ("It is noon.", "It is noon.", []),
        ("", "", []),
        # Hermes, Qwen, SmolLM
        (f"<tool_call>\n{JSON_ONE}\n</tool_call>", "", [ONE]),
        (f"One moment.\n<tool_call>{JSON_ONE}</tool_call>", "One moment.", [ONE]),
        (f"<tool_call>{JSON_ONE}</tool_call>\n<tool_call>{JSON_TWO}</tool_call>", "", [ONE, TWO]),
        (f"<tool_call>[{JSON_ONE}]</tool_call>", "", [ONE]),
        (f"<tool_call>{JSON_ONE}", "", [ONE]),  # the end is the end token
        ('<tool_call>{"name": "f", "argum', "", [Call("", '{"name": "f", "argum')]),
        ("<tool_call></tool_call>", "", [Call("", "")]),
        # Mistral, old and new
        (f"[TOOL_CALLS] [{JSON_ONE[:-1]}, \"id\": \"a1\"}}]", "", [ONE]),
        ('[TOOL_CALLS]f[ARGS]{"a": 1}[TOOL_CALLS]g[ARGS]{}', "", [ONE, TWO]),
        ('Well.[TOOL_CALLS]f[CALL_ID]x9[ARGS]{"a": 1}', "Well.", [ONE]),
        ('[TOOL_CALLS]f[ARGS]{"a": ', "", [Call("", '[TOOL_CALLS]f[ARGS]{"a":')]),
        # Llama
        ('<|python_tag|>{"name": "f", "parameters": {"a": 1}}', "", [ONE]),
        ('{"name": "f", "parameters": {"a": 1}}', "", [ONE]),
        ('{"name": "f", "parameters": {"a": 1}}; {"name": "g", "parameters": {}}', "", [ONE, TWO]),
        # plain, and OpenAI's
        (f" {JSON_ONE}\n", "", [ONE]),
        (f"[{JSON_ONE}]", "", [ONE]),
        ('{"type": "function", "function": {"name": "f", "arguments": "{\\"a\\": 1}"}}', "", [ONE]),
        # JSON that is no call
        ('{"name": "Ann"}', '{"name": "Ann"}', []),
        ('{"name": "f", "arguments": {}, "age": 3}', '{"name": "f", "arguments": {}, "age": 3}', []),
        (f'[{JSON_ONE}, 3]', f'[{JSON_ONE}, 3]', []),
        ("{}", "{}", []),
        ("[]", "[]", []),
        (f"Call {JSON_ONE}", f"Call {JSON_ONE}", []),
        # reasoning
        ("<think>\nHm: {}\n</think>\n\nIt is noon.", "It is noon.", []),
        ("Hm.</think>It is noon.", "It is noon.", []),  # the prompt opened it
        (f"<think>f?</think>\n<tool_call>{JSON_ONE}</tool_call>", "", [ONE]),
        ("Write <think> and </think>.", "Write <think> and </think>.", []),
        ("<think>Hm", "<think>Hm", []),
    ],
)  # fmt: skip
def test_calls_are_read_in_the_forms_of_chat_templates(answer: str, text: str, calls: list[Call]) -> None:
    assert reply.parse(answer, TOOLS) == Reply(text, calls, TOOLS)


def test_json_alone_is_no_call_where_there_are_no_tools() -> None:
    assert reply.parse(JSON_ONE, []) == Reply(JSON_ONE, [], [])
    assert reply.parse(f"<tool_call>{JSON_ONE}</tool_call>", []).calls == [ONE]


def test_the_turn_of_a_row_has_its_text_and_its_calls() -> None:
    call = ToolCall(Function("f", {"a": 1}), "function", "id1")

    assert reply.of_turns([Message("assistant", "Well.", [call])], TOOLS) == Reply("Well.", [ONE], TOOLS)
    assert reply.of_turns([Message("assistant", f"<tool_call>{JSON_ONE}</tool_call>")], []).calls == [ONE]
    assert reply.of_turns([Message("assistant", "Noon.", reasoning_content="Hm.")], []) == Reply("Noon.", [], [])


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"name": "f", "arguments": ' + '{"a": ' * 900 + "1" + "}" * 901])
def test_any_depth_is_read_or_is_text(deep: str) -> None:
    assert reply.parse(deep, TOOLS).text in ("", deep)
