"""The base model that the steps of training start from."""

from typing import Annotated, ClassVar

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Positive, Rate


class Tiny(Params, tag_field="kind", tag="tiny"):
    """A small Llama with its own byte-level BPE, pretrained on `source`."""

    section: ClassVar[str] = "base"

    source: str  # JSONL rows to pretrain on: texts, or the user turns of the others
    vocab_size: Positive
    hidden_size: Positive
    intermediate_size: Positive
    num_hidden_layers: Positive
    num_attention_heads: Positive
    max_position_embeddings: Positive  # tokens
    max_steps: Positive
    per_device_train_batch_size: Positive  # blocks
    block_tokens: Positive  # length of a block
    learning_rate: Rate
    warmup_steps: Annotated[int, Meta(ge=0)]
    weight_decay: Annotated[float, Meta(ge=0)]
    seed: int

    def problems(self) -> list[str]:
        problems = []
        if self.hidden_size % self.num_attention_heads:
            problems.append(
                f"hidden_size = {self.hidden_size}: want a multiple of num_attention_heads = {self.num_attention_heads}"
            )
        if self.block_tokens > self.max_position_embeddings:
            problems.append(
                f"block_tokens = {self.block_tokens}: want at most max_position_embeddings = "
                f"{self.max_position_embeddings}"
            )
        if self.vocab_size < 300:
            problems.append(f"vocab_size = {self.vocab_size}: want at least 300: 256 bytes and the special tokens")
        return problems


class Folder(Params, tag_field="kind", tag="folder"):
    """A model folder on this machine."""

    section: ClassVar[str] = "base"

    source: str  # folder with config.json, *.safetensors, tokenizer.json
    chat_template: str | None  # Jinja; replaces the model's own in training, evaluation and serving; null keeps it


class Hub(Params, tag_field="kind", tag="hub"):
    """A model of the Hugging Face hub at a pinned revision."""

    section: ClassVar[str] = "base"

    source: str  # JSON file {"repo": "org/name", "revision": 40 hex digits}
    chat_template: str | None  # Jinja; replaces the model's own in training, evaluation and serving; null keeps it


Base = Tiny | Folder | Hub
