"""Faults of templates, tokenizers, configs and rows."""

from pathlib import Path
from typing import Any

from benchmarks.twin_cases.case import CALLS, LORA, Case, said, tokenizer
from stages.rows.row import Chat, Message
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer, edit_json
from tests.twinning import made_up

BLOCK = "{% generation %}{{ m.content }}<|end|>{% endgeneration %}"
USER = "{% else %}{{ m.content }}<|end|>"
BOS = "{{ bos_token }}" + TEMPLATE
BEGINS = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<|bos|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
    "special_tokens": {"<|bos|>": {"id": "<|bos|>", "ids": [5], "tokens": ["<|bos|>"]}},
}
OWN_BOS = {"bos_token": "<|bos|>", "eos_token": "<|end|>", "pad_token": "<|pad|>"}


def of_messages(loop: str) -> str:
    """The template with another loop over the messages."""
    return loop + TEMPLATE.partition("%}")[2]


def template(old: str, new: str) -> str:
    assert old in TEMPLATE
    return TEMPLATE.replace(old, new)


def config(file: str = "config.json", **changes: Any) -> Any:
    """A base with another value in a file."""

    def build(folder: Path) -> None:
        build_tokenizer(folder, **OWN_BOS)
        build_model(folder)
        edit_json(folder / file, **changes)

    return build


def normalizer(kind: str, **settings: Any) -> Any:
    """A base whose tokenizer normalizes texts."""

    def build(folder: Path) -> None:
        build_model(folder)
        edit_json(folder / "tokenizer.json", normalizer={"type": kind, **settings})

    return build


def architecture(kind: str, **settings: Any) -> Any:
    return lambda folder: build_model(folder, kind, **settings)


def without_template(folder: Path) -> None:
    build_model(folder)
    (folder / "chat_template.jinja").unlink()


def without_tokenizer(folder: Path) -> None:
    build_model(folder)
    (folder / "tokenizer.json").unlink()


MASKED = [
    Message("user", "How?"),
    Message("assistant", "So.", train=False),
    Message("user", "Why?"),
    Message("assistant", "No."),
]
TEMPLATES = [
    Case("template without calls", "render", rows={"chat": CALLS}),
    Case("template drops the system turn", "render",
         template=of_messages("{% for m in messages if m.role != 'system' %}")),
    Case("template drops earlier turns", "render", template=of_messages("{% for m in messages[-2:] %}")),
    Case("template reverses the turns", "prompt", template=of_messages("{% for m in messages | reverse %}")),
    Case("template writes lower case", "render", template=TEMPLATE.replace("m.content", "m.content | lower")),
    Case("template cuts words", "render", template=TEMPLATE.replace("m.content", "m.content[:9]")),
    Case("template strips within words", "render",
         template=TEMPLATE.replace("m.content", "m.content | replace(' ', '')")),
    Case("template refuses a system turn", "render",
         template="{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TEMPLATE),
    Case("template without generation block", "mask", template=template(BLOCK, "{{ m.content }}<|end|>")),
    Case("stop token outside the mask", "mask",
         template=template(BLOCK, "{% generation %}{{ m.content }}{% endgeneration %}<|end|>")),
    Case("answers end with another token", "mask", template=template(BLOCK, BLOCK.replace("<|end|>", "<|pad|>"))),
    Case("answers without an end", "mask", template=template(BLOCK, BLOCK.replace("<|end|>", ""))),
    Case("generation block around the user", "mask", template=template(USER, "{% else %}" + BLOCK)),
    Case("prompt of evaluation is another", "prompt",
         template=template("<|assistant|>{% endif %}", "<|assistant|>\nAnswer: {% endif %}")),
    Case("begin token twice", "begin", template="{{ bos_token }}" + BOS, base=tokenizer(**OWN_BOS)),
    Case("no chat template", "base", base=without_template),
]  # fmt: skip
FOLDERS = [
    Case("tokens beyond the embedding", "vocabulary", base=config(vocab_size=370)),
    Case("end token of the generation config is another", "special tokens",
         base=config("generation_config.json", eos_token_id=5 + 10)),
    Case("end token beyond the vocabulary", "special tokens", base=config("generation_config.json", eos_token_id=9999)),
    Case("begin token of the config is another", "special tokens", base=config(bos_token_id=2)),
    Case("padding token beyond the vocabulary", "special tokens", base=config(pad_token_id=5000)),
    Case("unknown architecture", "base", base=config(model_type="llama99")),
    Case("code of the author", "base", base=config(auto_map={"AutoModelForCausalLM": "modeling.Mine"})),
    Case("no tokenizer.json", "base", base=without_tokenizer),
    Case("architecture that quantize refuses", "convert", base=architecture("gemma2"), quants=("Q8_0",)),
    Case("activation that llama.cpp does not compute", "convert", base=config(hidden_act="gelu"), quants=("Q8_0",)),
    Case("tokenizer that lowers letters", "tokenizer", base=normalizer("Lowercase"), quants=("Q8_0",)),
    Case("NFC, which llama.cpp does not do", "served prompt", base=normalizer("NFC"), quants=("Q8_0",),
         rows={"chat": said("Is the cafe\u0301 open?", "It is.")}),
    Case("template begins with no token", "convert", template=BOS, quants=("Q8_0",)),
    Case("tokenizer begins texts, template does not", "convert", quants=("Q8_0",),
         base=config("tokenizer.json", post_processor=BEGINS)),
]  # fmt: skip
ROWS = [
    Case("words hold the end token", "render", rows={"chat": said("How does it end?", "With <|end|>, and more.")}),
    Case("no turn to train", "rows", rows={"chat": [
        Chat([Message("user", f"How {i}?"), Message("assistant", "So.", train=False)]) for i in range(4)]}),
    Case("all rows too long", "rows", steps={"sft": {"max_length": 4}}),
    Case("masked turn without a mask", "render", steps={"sft": {"assistant_only_loss": False}},
         rows={"chat": [*made_up.contents("chat", 7), Chat(MASKED)]}),
    Case("adapter on a tied embedding", "train", steps={"sft": {"weights": {
        **LORA, "target_modules": ["embed_tokens", "q_proj"]}}}),
    Case("adapter on the output layer, which TRL refuses", "train", steps={"dpo": {"from": "base", "weights": {
        **LORA, "target_modules": ["lm_head", "q_proj"]}}}),
    Case("only good answers", "train", steps={"kto": {}}, rows={"judged": [
        row for row in made_up.contents("judged", 12) if row.good]}),
]  # fmt: skip
CASES = [*TEMPLATES, *FOLDERS, *ROWS]
