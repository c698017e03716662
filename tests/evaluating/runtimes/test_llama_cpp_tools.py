"""llama.cpp makes prompts of tools and calls as transformers does, but for those that are counted, and prints calls."""

import os
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from modelmake.errors import UserError
from stages.base import CHAT_TEMPLATE
from stages.evaluating import served_prompts
from stages.evaluating.runtimes import llama_cpp, transformers
from stages.exporting.gguf_writer import write_gguf
from tests.conftest import ROOT
from tests.tiny_models import build_model, build_tokenizer, teach

NONE = Path(os.devnull)  # no checkpoint
WITH_TOOLS = (
    "{% if tools %}<|system|>{% for t in tools %}{{ t | tojson }}\n{% endfor %}<|end|>{% endif %}"
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>"
    '{"name": {{ c.function.name | tojson }}, "arguments": {{ c.function.arguments | tojson }}}</tool_call>'
    "{% endfor %}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
WEATHER = {"zone": {"type": "string", "enum": ["Zürich", "<b> & 'x'"]}, "days": {"type": "integer", "default": 1}}
PARAMETERS = {"type": "object", "properties": WEATHER}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "now", "parameters": PARAMETERS}}]
ASKED: dict[str, Any] = {
    "messages": [
        {"role": "user", "content": "And?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"type": "function", "function": {"name": "weather", "arguments": {"zone": "Zürich", "d": [1, True]}}}
            ],
        },
        {"role": "tool", "content": "12 °C", "name": "weather"},
    ],
    "tools": TOOLS,
}
PLAIN: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}], "tools": []}


def changed(model: Path, file: Path, asked: list[dict[str, Any]]) -> int:
    return served_prompts.compare(model, file, llama_cpp, asked)["changed"]


def test_prompts_with_tools_and_calls_are_those_of_transformers(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    build_tokenizer(tmp_path / "model", chat_template=WITH_TOOLS)
    model = build_model(tmp_path / "model")
    write_gguf(model, tmp_path / "a.gguf", "F16")
    tokenizer = AutoTokenizer.from_pretrained(model)

    expected = tokenizer.apply_chat_template(ASKED["messages"], tools=TOOLS, add_generation_prompt=True, tokenize=False)
    assert "Zürich" in expected and '"default": 1' in expected
    assert llama_cpp.prompts(tmp_path / "a.gguf", [ASKED]) == [expected]
    assert changed(model, tmp_path / "a.gguf", [ASKED, PLAIN]) == 0


def shipped() -> dict[str, str]:
    """{name: chat template} of the tiny model and of the recipes."""
    bases = {file.stem: params.load(file).get("base", {}) for file in sorted((ROOT / "recipes").glob("*.yaml"))}
    return {"tiny model": CHAT_TEMPLATE} | {name: base["chat_template"] for name, base in bases.items()
                                            if base.get("chat_template")}  # fmt: skip


def test_prompts_of_the_templates_that_ship_here_are_those_of_training(tmp_path: Path) -> None:
    system, user = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}
    answer = {"role": "assistant", "content": "It is 12.", "reasoning_content": "hm"}
    called = {"role": "assistant", "content": "", "tool_calls": ASKED["messages"][1]["tool_calls"]}
    asked = [
        [user],
        [system, user],
        [user, called, ASKED["messages"][2]],
        [user, called, ASKED["messages"][2], answer, user],
    ]

    for name, template in shipped().items():
        begin = {"bos_token": "<|bos|>"} if "bos_token" in template else {}
        build_tokenizer(tmp_path / name, chat_template=template, **begin)
        model = build_model(tmp_path / name)
        write_gguf(model, tmp_path / "a.gguf", "F16")
        conversations = [{"messages": messages, "tools": TOOLS} for messages in asked]
        assert changed(model, tmp_path / "a.gguf", conversations) == 0, name


@pytest.mark.parametrize("added", [{}, {"bos_token": "<|bos|>", "add_bos_token": True}], ids=["plain", "begin"])
def test_prompts_that_llama_cpp_changes_are_counted(tmp_path: Path, added: dict) -> None:
    template = "{{ bos_token }}" + WITH_TOOLS if added else WITH_TOOLS
    build_tokenizer(tmp_path / "model", chat_template=template, **added)
    model = build_model(tmp_path / "model")
    write_gguf(model, tmp_path / "a.gguf", "F16")
    function = TOOLS[0]["function"]
    described = {"name": "f", "description": "", "parameters": {}}
    rewritten: list[dict[str, Any]] = [
        {"type": "function", "function": {"name": "f", "parameters": {}}},  # gets an empty description
        {"type": "function", "function": {**described, "strict": True}},  # loses it
        {"type": "function", "function": dict(reversed(function.items()))},  # gets another order
        described,  # gets a type
    ]
    asked = [ASKED | {"tools": tools} for tools in (TOOLS, [], *([tool] for tool in rewritten))]

    assert changed(model, tmp_path / "a.gguf", [*asked, PLAIN]) == len(rewritten)


def test_a_tool_that_llama_cpp_refuses_is_an_error(tmp_path: Path) -> None:
    build_tokenizer(tmp_path / "model", chat_template=WITH_TOOLS)
    write_gguf(build_model(tmp_path / "model"), tmp_path / "a.gguf", "F16")
    asked = ASKED | {"tools": [{"type": "function", "function": {"parameters": {}}}]}

    with pytest.raises(UserError, match=r"a.gguf: conversation 1: llama.cpp says: Failed to parse tools: "):
        llama_cpp.prompts(tmp_path / "a.gguf", [ASKED, asked])


def test_tokens_that_mark_calls_are_in_the_answers_of_both_runtimes(tmp_path: Path) -> None:
    marks = ["[TOOL_CALLS]", "<|other|>"]
    build_tokenizer(tmp_path / "model", chat_template=WITH_TOOLS, additional_special_tokens=marks)
    asked = [ASKED, {"messages": [{"role": "user", "content": "Hi"}], "tools": TOOLS}]
    answers = ['[TOOL_CALLS][{"name": "weather", "arguments": {"days": 2}}]', '<|other|>{"name": "weather"}  <tool>']
    model = teach(build_model(tmp_path / "model", max_position_embeddings=512), asked, answers)
    write_gguf(model, tmp_path / "a.gguf", "F32")

    settings = {"max_new_tokens": 60, "checkpoint": NONE}
    of_model = transformers.generate(model, asked, batch_size=2, device="cpu", dtype="float32", **settings)
    of_file = llama_cpp.generate(tmp_path / "a.gguf", asked, threads=1, context_tokens=512, **settings)
    assert of_model == of_file
    assert [found[:2] for found in of_file] == [(answers[0], False), (answers[1].removeprefix("<|other|>"), False)]
