"""Tiny encoders: one with known cosines, and two with random weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    BertConfig,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from modelmake.progress import ProgressBar
from stages.params.data import Dedup, Near, Semantic
from stages.similarity import embeddings

NEAR = Near(threshold=0.85, shingle_chars=5, permutations=128, bands=21, seed=1, threads=1)
WORDS = (
    "where", "is", "my", "card", "please", "the", "toaster", "that", "i", "ordered", "on", "monday", "has", "not",
    "come", "yet", ",", ".", "?", "!",
)  # fmt: skip
D = 64
SHAPE = {
    "vocab_size": D, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96,
    "max_position_embeddings": 64,
}  # fmt: skip
CARD, CARD_ASKED, CARD_SHUFFLED = "Where is my card?", "My card, where is?", "card my is where ?"
TOASTER = "The toaster that I ordered has not come yet."


def params(**changes: Any) -> Dedup:
    values = {"threshold": 0.9, "neighbours": 8, "max_tokens": 16, "batch_size": 4, **changes}
    return Dedup(near=NEAR, encoder="model", semantic=Semantic(**values), conflicting="keep", max_dropped_fraction=1.0)


def save(folder: Path, network: PreTrainedModel, **special: str) -> Path:
    """Saves a model with a tokenizer for which each word in lower case and each punctuation mark is a token."""
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(["[PAD]", "[UNK]", *WORDS])}, "[UNK]"))
    words.normalizer, words.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", **special)
    tokenizer.save_pretrained(folder)
    network.save_pretrained(folder)
    return folder


def bag(folder: Path) -> Path:
    """A network without layers: a text is the mean of its words' vectors, any two of which have a cosine of -1 / 63."""
    network = BertModel(BertConfig(vocab_size=D, hidden_size=D, num_hidden_layers=0, max_position_embeddings=64))
    with torch.no_grad():
        network.embeddings.word_embeddings.weight.copy_(torch.eye(D))
        network.embeddings.position_embeddings.weight.zero_()
        network.embeddings.token_type_embeddings.weight.zero_()
    return save(folder, network, pad_token="[PAD]")


def network(folder: Path) -> Path:
    """Two layers of seeded random weights."""
    torch.manual_seed(0)
    return save(folder, BertModel(BertConfig(**SHAPE)), pad_token="[PAD]")


def decoder(folder: Path) -> Path:
    """A decoder of two layers of seeded random weights, without a padding token."""
    torch.manual_seed(0)
    return save(folder, LlamaForCausalLM(LlamaConfig(**SHAPE)))


def encode(folder: Path, texts: Sequence[str], dedup: Dedup | None = None) -> np.ndarray:
    return embeddings.Encoder(folder, dedup or params()).encode(texts, ProgressBar(len(texts), "", ""))
