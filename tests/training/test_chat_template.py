"""Chat templates: which ones allow training on assistant turns, and that recipes render like the models' own."""

from pathlib import Path

import pytest

from modelmake import params
from modelmake.errors import UserError
from stages.training import chat_template
from tests.tiny_models import TEMPLATE, build_tokenizer, edit_json

ROOT = Path(__file__).parents[2]
CHATS = [
    [{"role": "user", "content": " Where is it? "}, {"role": "assistant", "content": '{"a": 1}'}],
    [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}],
    [{"role": role, "content": f"{role} {i}"} for i in range(2) for role in ("user", "assistant")],
]


def folder(path: Path, template: str) -> Path:
    build_tokenizer(path, chat_template=template)
    (path / "generation_config.json").write_text('{"eos_token_id": 4}')
    return path


def check(start: Path) -> None:
    from transformers import AutoTokenizer

    chat_template.check(start, AutoTokenizer.from_pretrained(start), "train.sft")


def test_a_template_that_marks_answers_with_their_end_token_is_accepted(tmp_path: Path) -> None:
    check(folder(tmp_path, TEMPLATE))
    edit_json(tmp_path / "tokenizer_config.json", eos_token="<|pad|>", pad_token="<|pad|>")
    check(tmp_path)  # the generation config still names <|end|>


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{% generation %}", "", "train.sft.assistant_only_loss = True: the chat template of"),
        ("<|end|>{% endgeneration %}", "{% endgeneration %}<|end|>", "{% generation %} block in the chat template of"),
        (
            "<|end|>{% endgeneration %}",
            "<|user|>{% endgeneration %}",
            "ends with '<|user|>', but generation stops at '<|end|>'",
        ),
    ],
    ids=["no block", "end token outside", "another end token"],
)
def test_a_template_that_marks_no_answer_or_no_end_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TEMPLATE
    template = TEMPLATE.replace(old, new)
    template = template if "{% generation %}" in template else template.replace("{% endgeneration %}", "")

    with pytest.raises(UserError) as error:
        check(folder(tmp_path, template))

    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(("recipe", "original"), [("llama3_1_8b", "llama3_1"), ("qwen3_0_6b", "qwen3")])
def test_a_recipes_template_renders_as_the_models_own(tmp_path: Path, recipe: str, original: str) -> None:
    """TRL ships the originals."""
    import trl
    from transformers import AutoTokenizer

    build_tokenizer(tmp_path, bos_token="<|bos|>")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    original_template = (Path(trl.__file__).parent / f"chat_templates/{original}.jinja").read_text("utf-8")
    recipe_template = params.load(ROOT / f"recipes/{recipe}.yaml")["base"]["chat_template"]
    for chat in CHATS if recipe == "llama3_1_8b" else CHATS[:2]:  # Qwen3 drops the reasoning of earlier turns
        question = chat if chat[-1]["role"] == "user" else chat[:-1]
        for messages, prompt in ((question, True), (chat, False)):
            expected, rendered = (
                tokenizer.apply_chat_template(
                    messages, chat_template=template, tokenize=False, add_generation_prompt=prompt,
                    enable_thinking=False,
                )
                for template in (original_template, recipe_template)
            )  # fmt: skip
            assert rendered == expected
