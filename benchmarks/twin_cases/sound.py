"""Variations in which nothing is wrong, and every recipe."""

from pathlib import Path

from benchmarks.twin_cases.case import CALLS, LORA, Case, said, tokenizer
from benchmarks.twin_cases.inputs import BOS, OWN_BOS, architecture
from stages.base import CHAT_TEMPLATE
from stages.rows.row import Chat, Message, Text
from tests.tiny_models import build_model, edit_json
from tests.twinning import made_up

ALONE = {"from": "base"}
NO_PAD = tokenizer(eos_token="<|end|>", pad_token=None)
LONG = [*made_up.contents("text", 15), Text("It goes on and on. " * 60)]
PART = [Message("user", "How?"), Message("assistant", "So.", train=False), Message("user", "Why?"),
        Message("assistant", "Because.")]  # fmt: skip


def two_ends(folder: Path) -> None:
    build_model(folder)
    edit_json(folder / "generation_config.json", eos_token_id=[4, 0])


CASES = [
    Case("every weight, then preferences", "", steps={"sft": {}, "dpo": {}}, quants=("Q8_0",)),
    Case("untied", "", base=architecture("llama", tie_word_embeddings=False), quants=("F16",)),
    Case("Qwen2", "", base=architecture("qwen2"), quants=("Q8_0",)),
    Case("Qwen3", "", base=architecture("qwen3"), quants=("Q8_0",)),
    Case("Gemma, not quantized", "", base=architecture("gemma2")),
    Case("one begin token, by the template", "", template=BOS, base=tokenizer(**OWN_BOS), quants=("Q8_0",)),
    Case("no padding token", "", base=NO_PAD),
    Case("two end tokens", "", base=two_ends, quants=("Q8_0",)),
    Case("calls of tools", "", template=CHAT_TEMPLATE, rows={"chat": CALLS}, quants=("Q8_0",)),
    Case("turns that are not trained", "", rows={"chat": [*made_up.contents("chat", 7), Chat(PART)]}),
    Case("combining accents without NFC", "", quants=("Q8_0",),
         rows={"chat": said("Is the cafe\u0301 open?", "It is.")}),
    Case("texts, one of them cut as declared", "", steps={"cpt": {"over_long": "truncate"}}, quants=("Q8_0",),
         rows={"text": LONG}),
    Case("texts in pieces", "", steps={"cpt": {"over_long": "split", "max_length": 100}}, rows={"text": LONG}),
    Case("packed texts", "", steps={"cpt": {"packing": True}}),
    Case("packed texts in pieces", "", steps={"cpt": {"packing": True, "over_long": "split"}}, rows={"text": LONG}),
    Case("loss on all of a chat", "", steps={"sft": {"assistant_only_loss": False}}),
    Case("few rows", "", rows={"chat": made_up.contents("chat", 3)}),
    Case("judged answers", "", steps={"kto": ALONE}),
    Case("ORPO", "", steps={"orpo": {}}, quants=("Q8_0",)),
    Case("ORPO without a padding token", "", base=NO_PAD, steps={"orpo": ALONE}),
    Case("distillation", "", steps={"distill": {}}, quants=("Q8_0",)),
    Case("answers of the model itself", "", steps={"grpo": {}}, quants=("Q8_0",)),
    Case("LoRA on attention", "", steps={"dpo": {**ALONE, "weights": {
        **LORA, "target_modules": ["q_proj", "v_proj"]}}}),
    Case("DoRA", "", steps={"dpo": {**ALONE, "weights": {**LORA, "use_dora": True}}}),
    Case("LoRA with dropout", "", steps={"sft": {"weights": {**LORA, "lora_dropout": 0.1}}}),
]  # fmt: skip
RECIPES = [
    Case(f"recipe {file.stem}", "", recipe=file.stem)
    for file in sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
]
