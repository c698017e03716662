"""Chat templates: what they make of turns, and that recipes render like the models' own."""

from pathlib import Path

import pytest

from modelmake import params
from modelmake.errors import UserError
from stages.rows.row import Message
from stages.training import chat_template
from tests.tiny_models import build_tokenizer

ROOT = Path(__file__).parents[2]
CHATS = [
    [{"role": "user", "content": " Where is it? "}, {"role": "assistant", "content": '{"a": 1}'}],
    [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}],
    [{"role": role, "content": f"{role} {i}"} for i in range(2) for role in ("user", "assistant")],
]


TOOLS = [{"type": "function", "function": {"name": "f", "description": 'd "e" é', "parameters": {"type": "object"}}}]


def call(*names: str, content: str = "") -> dict:
    calls = [{"type": "function", "function": {"name": name, "arguments": {"a": "1\n", "b": [2.5]}}} for name in names]
    return {"role": "assistant", "content": content, "tool_calls": calls}


ASK = {"role": "user", "content": "Hi"}
RESULT = {"role": "tool", "content": 'x "1"', "name": "f"}
WITH_TOOLS = {
    "llama3_1_8b": [[CHATS[1][0], ASK, call("f"), RESULT, CHATS[0][1]], [ASK, call("f")]],
    "qwen3_0_6b": [
        [CHATS[1][0], ASK, call("f", content="Let me see.")],
        [ASK, call("f", "g")],
        [{"role": "system", "content": ""}, ASK, CHATS[0][1]],
    ],
}


@pytest.fixture
def tokenizer(tmp_path: Path):
    from transformers import AutoTokenizer

    build_tokenizer(tmp_path, bos_token="<|bos|>")
    return AutoTokenizer.from_pretrained(tmp_path)


def test_a_rendering_is_that_of_transformers_with_its_marked_blocks(tokenizer) -> None:
    turns = [
        Message("user", "q"),
        Message("assistant", "a", train=False),
        Message("user", "r"),
        Message("assistant", "b"),
    ]

    rendered = chat_template.render(tokenizer, turns, [])

    assert rendered.text == "<|user|>q<|end|><|assistant|>a<|end|><|user|>r<|end|><|assistant|>b<|end|>"
    assert [rendered.text[start:end] for start, end in rendered.blocks] == ["a<|end|>", "b<|end|>"]
    assert chat_template.render(tokenizer, turns[:1], [], prompt=True).text == "<|user|>q<|end|><|assistant|>"


def test_a_template_that_refuses_a_row_says_so_in_one_line(tokenizer) -> None:
    tokenizer.chat_template = "{{ raise_exception('roles must\nalternate') }}"

    with pytest.raises(UserError, match=r"^the chat template refuses it: roles must alternate$"):
        chat_template.render(tokenizer, [Message("user", "q")], [])


def test_generation_stops_at_the_end_tokens_of_tokenizer_and_model(tmp_path: Path, tokenizer) -> None:
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [2, 3]}')

    assert chat_template.stop_token_ids(tmp_path, tokenizer) == {2, 3, 4}


@pytest.mark.parametrize(("recipe", "original"), [("llama3_1_8b", "llama3_1"), ("qwen3_0_6b", "qwen3")])
def test_a_recipes_template_renders_as_the_models_own(tokenizer, recipe: str, original: str) -> None:
    """TRL ships the originals."""
    import trl

    original_template = (Path(trl.__file__).parent / f"chat_templates/{original}.jinja").read_text("utf-8")
    recipe_template = params.load(ROOT / f"recipes/{recipe}.yaml")["base"]["chat_template"]
    plain = CHATS if recipe == "llama3_1_8b" else CHATS[:2]  # Qwen3 writes no empty reasoning into earlier turns
    for chat, tools in [(chat, None) for chat in plain] + [(chat, TOOLS) for chat in WITH_TOOLS[recipe]]:
        question = chat if chat[-1]["role"] == "user" else chat[:-1]
        for messages, prompt in ((question, True), (chat, False)):
            expected, rendered = (
                tokenizer.apply_chat_template(
                    messages, chat_template=template, tools=tools, tokenize=False, add_generation_prompt=prompt,
                    enable_thinking=False,
                )
                for template in (original_template, recipe_template)
            )  # fmt: skip
            assert rendered == expected


@pytest.mark.parametrize(("recipe", "original"), [("gemma2_2b", "gemma"), ("phi3_mini", "phi3")])
def test_a_template_without_tools_renders_as_the_models_own(tokenizer, recipe: str, original: str) -> None:
    """Phi's own ends a whole chat with one more end token, which no answer is asked to give."""
    import trl

    original_template = (Path(trl.__file__).parent / f"chat_templates/{original}.jinja").read_text("utf-8")
    recipe_template = params.load(ROOT / f"recipes/{recipe}.yaml")["base"]["chat_template"]
    for chat in CHATS if recipe == "phi3_mini" else (CHATS[0], CHATS[2]):  # Gemma's own refuses system turns
        for messages, prompt in ((chat[:-1], True), (chat, False)):
            expected, rendered = (
                tokenizer.apply_chat_template(
                    messages, chat_template=template, tokenize=False, add_generation_prompt=prompt
                )
                for template in (original_template, recipe_template)
            )
            assert rendered == (expected.removesuffix("<|end|>") if original == "phi3" and not prompt else expected)


@pytest.mark.parametrize(
    ("recipe", "prompt", "answer"),
    [
        ("gemma2_2b", "<|bos|><start_of_turn>user\nBe short.\n\nHi<end_of_turn>\n<start_of_turn>model\n",
         "No.<end_of_turn>"),
        ("phi3_mini", "<|system|>\nBe short.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\n", "No.<|end|>"),
        ("tinyllama_1b", "<|system|>\nBe short.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\n", "No.<|end|>"),
        ("mistral_7b", "<|bos|>[INST] Be short.\n\nHi[/INST]", " No.<|end|>"),
    ],
)  # fmt: skip
def test_what_a_template_marks_follows_its_generation_prompt(tokenizer, recipe: str, prompt: str, answer: str) -> None:
    """The end token of this tokenizer is <|end|>."""
    tokenizer.chat_template = params.load(ROOT / f"recipes/{recipe}.yaml")["base"]["chat_template"]
    turns = [Message("system", "Be short."), Message("user", "Hi"), Message("assistant", "No.")]

    asked = chat_template.render(tokenizer, turns[:2], [], prompt=True).text
    text, [(start, end)] = chat_template.render(tokenizer, turns, [])

    assert asked == prompt
    assert text[:start] == prompt and text[start:end] == answer


def test_qwens_results_of_tools_and_reasoning_are_rendered_as_its_own(tokenizer) -> None:
    """Apart from the empty reasoning of earlier turns, which the recipe writes, as it does before every answer."""
    import trl

    original_template = (Path(trl.__file__).parent / "chat_templates/qwen3.jinja").read_text("utf-8")
    recipe_template = params.load(ROOT / "recipes/qwen3_0_6b.yaml")["base"]["chat_template"]
    thought = {"role": "assistant", "content": "No.", "reasoning_content": "It is dry."}
    for chat in ([ASK, call("f", "g"), RESULT, RESULT, CHATS[0][1]], [ASK, call("f"), RESULT, thought], [ASK, thought]):
        expected, rendered = (
            tokenizer.apply_chat_template(chat, chat_template=template, tools=TOOLS, tokenize=False)
            for template in (original_template, recipe_template)
        )
        empty = "<think>\n\n</think>\n\n"
        assert rendered.replace(empty, "") == expected.replace(empty, "")
