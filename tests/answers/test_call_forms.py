"""Calls in the forms of model families: hand-written replies, and what the models' own templates render."""

from pathlib import Path
from typing import Any

import pytest

from stages.answers import reply
from stages.answers.call_forms import Call
from stages.rows.row import Function, Message, ToolCall
from stages.training import chat_template

PROPERTIES = {
    "city": {"type": "string"},
    "days": {"type": "integer"},
    "least": {"type": "number"},
    "wet": {"type": "boolean"},
    "hours": {"type": "array", "items": {"type": "string"}},
    "more": {"type": "object"},
    "note": {"type": ["string", "null"]},
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "the weather",
            "parameters": {"type": "object", "properties": PROPERTIES},
        },
    },
    {
        "type": "function",
        "function": {"name": "now", "description": "the time", "parameters": {"type": "object", "properties": {}}},
    },
]
ROME, NOW = Call("get_weather", {"city": "Rome", "days": 5}), Call("now", {})
IN_JSON = '{"city": "Rome", "days": 5}'
QWEN = "<tool_call>\n<function=get_weather>\n{}</function>\n</tool_call>"


def calls(answer: str, text: str = "") -> list[Call]:
    """The calls of an answer, whose other text is checked."""
    parsed = reply.parse(answer, TOOLS)
    assert parsed.text == text
    return list(parsed.calls)


@pytest.mark.parametrize(
    "answer",
    [
        "<tool_call>\n<function=get_weather>\n<parameter=city>\nRome\n</parameter>\n<parameter=days>\n5\n</parameter>\n"
        "</function>\n</tool_call>\n<tool_call>\n<function=now>\n</function>\n</tool_call>",
        "<function=get_weather><parameter=city>Rome</parameter><parameter=days>5</parameter></function><function=now>",
        f"<function=get_weather>{IN_JSON}</function>\n<function=now>{{}}</function>",
        "\n</think>\n\n<tool_call>\n<function=get_weather>\n<parameter=city>\nRome\n<parameter=days>\n5\n</function>\n"
        "</tool_call><tool_call><function=now></tool_call>",
        "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n<arg_key>days</arg_key>\n"
        "<arg_value>5</arg_value>\n</tool_call>\n<tool_call>now\n</tool_call>",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n" + IN_JSON
        + "\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```"
        "<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>" + IN_JSON
        + "<｜tool▁call▁end｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n'
        '<｜DSML｜parameter name="city" string="true">Rome</｜DSML｜parameter>\n'
        '<｜DSML｜parameter name="days" string="false">5</｜DSML｜parameter>\n</｜DSML｜invoke>\n'
        '<｜DSML｜invoke name="now">\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
        '<minimax:tool_call>\n<invoke name="get_weather">\n<parameter name="city">Rome</parameter>\n'
        '<parameter name="days">5</parameter>\n</invoke>\n<invoke name="now">\n</invoke>\n</minimax:tool_call>',
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>" + IN_JSON
        + "<|tool_call_end|><|tool_call_begin|>functions.now:1<|tool_call_argument_begin|>{}<|tool_call_end|>"
        "<|tool_calls_section_end|>",
        "<start_function_call>call:get_weather{city:<escape>Rome<escape>,days:5}<end_function_call>"
        "<start_function_call>call:now{}<end_function_call>",
        '<|tool_call>call:get_weather{city:<|"|>Rome<|"|>,days:5}<tool_call|><|tool_call>call:now{}<tool_call|>',
        '<|tool_call_start|>[get_weather(city="Rome", days=5), now()]<|tool_call_end|>',
        "<|python_start|>[get_weather(city='Rome', days=5), now()]<|python_end|>",
        "[get_weather(city='Rome', days=5), now()]",
        "<function_calls>\nget_weather(city='Rome', days=5)\nnow()\n</function_calls>",
        f'<|tool_call|>[{{"name": "get_weather", "arguments": {IN_JSON}}}, {{"name": "now", "arguments": {{}}}}]'
        "<|/tool_call|>",
        f'<tool_calls>[{{"name": "get_weather", "arguments": {IN_JSON}}}, {{"name": "now", "arguments": {{}}}}]'
        "</tool_calls>",
        f"[TOOL_CALLS]get_weather[ARGS]{IN_JSON}[TOOL_CALLS]now[CALL_ID]a1[ARGS]{{}}",
    ],
    ids=lambda answer: answer[:24],
)  # fmt: skip
def test_calls_are_read_in_the_form_of_each_family(answer: str) -> None:
    assert calls(answer) == [ROME, NOW]
    if not answer.startswith(("[", "\n")):
        assert calls(f"Let me see. {answer}", "Let me see.") == [ROME, NOW]


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ("<parameter=city>\n5\n</parameter>\n", {"city": "5"}),  # a string whatever it looks like
        ("<parameter=city>\ntrue\n</parameter>\n", {"city": "true"}),
        ("<parameter=city>\n  a\n\n b\n</parameter>\n", {"city": "  a\n\n b"}),
        ("<parameter=days>\n5\n</parameter>\n", {"days": 5}),
        ("<parameter=days>\nfive\n</parameter>\n", {"days": "five"}),
        ("<parameter=least>\n-1.5\n</parameter>\n", {"least": -1.5}),
        ("<parameter=wet>\nTrue\n</parameter>\n", {"wet": True}),
        ("<parameter=wet>\nfalse\n</parameter>\n", {"wet": False}),
        ('<parameter=hours>\n["1", "2"]\n</parameter>\n', {"hours": ["1", "2"]}),
        ("<parameter=more>\n{'a': None}\n</parameter>\n", {"more": {"a": None}}),
        ("<parameter=note>\nnull\n</parameter>\n", {"note": None}),
        ("<parameter=note>\n7\n</parameter>\n", {"note": "7"}),
        ("<parameter=unknown>\n7\n</parameter>\n", {"unknown": 7}),
        ("<parameter=unknown>\nx y\n</parameter>\n", {"unknown": "x y"}),
    ],
)
def test_values_get_their_type_from_the_schema(written: str, arguments: dict[str, Any]) -> None:
    assert calls(QWEN.format(written)) == [Call("get_weather", arguments)]


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ('{city:<|"|>a "b", {c}: d<|"|>}', {"city": 'a "b", {c}: d'}),
        ('{hours:[<|"|>1<|"|>,<|"|>a,b:<|"|>],wet:true,least:-1.5}',
         {"hours": ["1", "a,b:"], "wet": True, "least": -1.5}),
        ('{more:{a b:None,c:{<|"|>d<|"|>:[1,null]}}}', {"more": {"a b": None, "c": {"d": [1, None]}}}),
    ],
)  # fmt: skip
def test_arguments_of_gemma_hold_any_text(written: str, arguments: dict[str, Any]) -> None:
    assert calls(f"<|tool_call>call:get_weather{written}<tool_call|>") == [Call("get_weather", arguments)]


@pytest.mark.parametrize(
    "answer",
    [
        '<tool_call>{"name": "get_weather", "arguments": {"city": "<function=now> [TOOL_CALLS]"}}</tool_call>',
        '[TOOL_CALLS]get_weather[ARGS]{"city": "<function=now> <tool_call>now</tool_call>"}',
        '<|tool_call>call:get_weather{city:<|"|><function=now> [TOOL_CALLS]<|"|>}<tool_call|>',
    ],
)
def test_marks_of_other_forms_inside_arguments_are_text(answer: str) -> None:
    [call] = calls(answer)

    assert call.name == "get_weather" and call.arguments["city"].startswith("<function=now> ")


@pytest.mark.parametrize(
    "answer",
    [
        "<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": ",
        "<|tool_call>call:get_weather{city:",
        "<|tool_call_start|>[get_weather('Rome')]<|tool_call_end|>",
        "<|tool_call_start|>[get_weather(city=home)]<|tool_call_end|>",
        "<|tool_call_start|>[get_weather(**a)]<|tool_call_end|>",
        "<function=get_weather>Rome</function>",
        "<|tool_call|>Rome<|/tool_call|>",
    ],
)  # fmt: skip
def test_a_marked_call_that_cannot_be_read_is_a_wrong_call(answer: str) -> None:
    [call] = calls(answer)

    assert call.name == "" and call.arguments


@pytest.mark.parametrize(
    "answer",
    [
        "[1, 2]",
        "[Rome (5 days)]",
        "[get_weather(city='Rome'), 3]",
        "get_weather(city='Rome')",
        "[" * 100_000,
        "[f(" * 5000,
        "[import os]",
    ],
    ids=lambda answer: answer[:24],
)
def test_any_other_text_is_no_call(answer: str) -> None:
    assert calls(answer, answer) == []


@pytest.mark.parametrize(
    "answer",
    [
        '<tool_call>{"name": "now"}</tool_call>',
        '<tool_call>{"name": "now", "arguments": null}</tool_call>',
        '<tool_call>{"name": "now", "arguments": ""}</tool_call>',
        '<tool_call>{"name": "now", "arguments": "null"}</tool_call>',
        '<tool_call>{"name": "now", "parameters": []}</tool_call>',
        '<tool_call>{"type": "function", "function": {"name": "now", "arguments": " "}}</tool_call>',
        '{"name": "now", "arguments": ""}',
        "[TOOL_CALLS]now[ARGS]",
        "<|tool_call_begin|>functions.now:0<|tool_call_argument_begin|><|tool_call_end|>",
        "<function=now>null</function>",
    ],
)
def test_arguments_that_say_nothing_are_none(answer: str) -> None:
    assert calls(answer) == [NOW]


@pytest.mark.parametrize("arguments", ['"Rome"', "5", "[1]", '"[1]"', '"{"'])
def test_arguments_of_another_type_are_a_wrong_call(arguments: str) -> None:
    [call] = calls(f'<tool_call>{{"name": "now", "arguments": {arguments}}}</tool_call>')

    assert call.name == ""


def test_an_object_that_has_a_name_and_no_arguments_is_a_call_only_with_marks() -> None:
    answer = '{"name": "Rome", "id": 5}'

    assert calls(answer, answer) == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("(1, 2)", [1, 2]),
        ("{'a': (1,), 2: None}", {"a": [1], "2": None}),
        ("true", True),
        ("[null, -1.5]", [None, -1.5]),
        (r"'\d+'", "\\d+"),
    ],
)
def test_values_in_python_are_those_of_json(written: str, value: Any) -> None:
    expected = [Call("get_weather", {"more": value})]

    assert calls(f"[get_weather(more={written})]") == expected
    if not isinstance(value, str) and "null" not in written:
        assert calls(QWEN.format(f"<parameter=more>\n{written}\n</parameter>\n")) == expected


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("written", ["{1, 2}", "b'a'", "1j", "{(1, 2): 3}", "..."])
def test_a_python_value_that_json_does_not_have_is_not_read(written: str) -> None:
    [call] = calls(f"<|tool_call_start|>[get_weather(more={written})]<|tool_call_end|>")

    assert call.name == ""
    assert calls(QWEN.format(f"<parameter=more>\n{written}\n</parameter>\n")) == [
        Call("get_weather", {"more": written})
    ]


TEMPLATES = [
    "gemma4", "gemma4_v5", "glm4moe", "lfm2_2_5", "lfm2_v2", "nemotron_3_nano", "qwen2_5", "qwen3", "qwen3_5_nothink",
    "qwen3_6", "qwen3_instruct_2507",
]  # fmt: skip


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_models_own_template_renders_is_read_as_it_was(name: str) -> None:
    """TRL ships the originals."""
    import trl

    template = (Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text()
    arguments = {
        "city": 'Rome, "IT"\nx', "days": 5, "least": -1.5, "wet": True, "hours": ["a", "b,c"], "more": {"k": {"z": 1}},
    }  # fmt: skip
    made = [ToolCall(Function("get_weather", arguments), "function"), ToolCall(Function("now", {}), "function")]
    turns = chat_template.template_messages([Message("user", "Hi"), Message("assistant", "", made)])
    asked = chat_template.fill_in(template, {}, turns[:1], TOOLS, prompt=True).text
    text = chat_template.fill_in(template, {}, turns, TOOLS, prompt=False).text

    answer = text[len(asked) if text.startswith(asked) else text.rindex("</think>") :]
    for stop in ("<|im_end|>", "<turn|>", "<|tool_response>"):
        answer = answer.partition(stop)[0]

    assert calls(answer) == [Call("get_weather", arguments), NOW]
