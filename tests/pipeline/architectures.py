"""Models of real architectures at tiny width, with tokenizers built like the real ones, as model folders."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.tiny_models import untrained_bpe


class Architecture(NamedTuple):
    """Settings of a hub model's config.json, tokenizer files and generation_config.json, except sizes."""

    model_type: str
    config: dict[str, Any]
    pre_tokenizer: str  # llama.cpp's name
    special_tokens: list[str]
    settings: dict[str, Any]  # tokenizer_config.json
    end_tokens: list[str]  # of generation_config.json
    normalizer: str | None = None
    added_tokens: tuple[str, ...] = ()  # not special
    begin_token: str | None = None  # added before every text


LLAMA3_ROPE = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
LLAMA3_SPECIAL = ["begin_of_text", "end_of_text", "start_header_id", "end_header_id", "eom_id", "eot_id"]
ARCHITECTURES = {
    "smollm2_135m": Architecture(
        "llama",
        {
            "hidden_size": 96, "intermediate_size": 256, "num_attention_heads": 3, "num_key_value_heads": 1,
            "tie_word_embeddings": True, "rms_norm_eps": 1e-5,
            "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
        },
        "smollm",
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        {
            "tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
            "unk_token": "<|endoftext|>",
        },
        ["<|endoftext|>"],
    ),
    "qwen3_0_6b": Architecture(
        "qwen3",
        {
            "hidden_size": 64, "intermediate_size": 192, "num_attention_heads": 4, "num_key_value_heads": 2,
            "head_dim": 32, "tie_word_embeddings": True, "rms_norm_eps": 1e-6,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
        },
        "qwen2",
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        {
            "tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>",
            "add_bos_token": False, "add_prefix_space": False,
        },
        ["<|im_end|>", "<|endoftext|>"],
        normalizer="NFC",
        added_tokens=("<think>", "</think>"),
    ),
    "llama3_1_8b": Architecture(
        "llama",
        {
            "hidden_size": 256, "intermediate_size": 512, "num_attention_heads": 4, "num_key_value_heads": 2,
            "tie_word_embeddings": False, "rms_norm_eps": 1e-5, "rope_parameters": LLAMA3_ROPE,
        },
        "llama-bpe",
        [f"<|{name}|>" for name in LLAMA3_SPECIAL],
        {
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin_of_text|>",
            "eos_token": "<|eot_id|>",
        },
        ["<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"],
        begin_token="<|begin_of_text|>",
    ),
}  # fmt: skip


def write(architecture: Architecture, folder: Path, corpus: list[str], vocab_size: int = 600) -> Path:
    """Saves a model of seeded random weights and a byte-level BPE tokenizer trained on the corpus."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(parents=True)
    ids = _write_tokenizer(architecture, folder, corpus, vocab_size - 10)
    settings, end_ids = architecture.settings, [ids[token] for token in architecture.end_tokens]
    config = AutoConfig.for_model(
        architecture.model_type,
        vocab_size=vocab_size,  # more than the tokenizer has tokens, as in Qwen's models
        num_hidden_layers=2,
        max_position_embeddings=1024,
        bos_token_id=ids.get(settings.get("bos_token")),
        eos_token_id=end_ids,
        pad_token_id=ids.get(settings.get("pad_token")),
        **architecture.config,
    )
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config)
    model.generation_config.eos_token_id = end_ids
    model.save_pretrained(folder, max_shard_size="500KB")  # several files, as in large models
    return folder


def _write_tokenizer(architecture: Architecture, folder: Path, corpus: list[str], size: int) -> dict[str, int]:
    """Saves the tokenizer and returns {token: id}."""
    from tokenizers import AddedToken, normalizers, pre_tokenizers, processors, trainers

    bpe = untrained_bpe(architecture.pre_tokenizer)
    if architecture.normalizer:
        bpe.normalizer = getattr(normalizers, architecture.normalizer)()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=architecture.special_tokens,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    bpe.add_tokens([AddedToken(token, special=False, normalized=False) for token in architecture.added_tokens])
    if begin := architecture.begin_token:
        bpe.post_processor = processors.Sequence(
            [
                processors.ByteLevel(trim_offsets=True),
                processors.TemplateProcessing(single=f"{begin} $A", special_tokens=[(begin, bpe.token_to_id(begin))]),
            ]
        )
    bpe.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(architecture.settings))
    return bpe.get_vocab(with_added_tokens=True)


def pretrain(folder: Path, texts: list[str], steps: int) -> None:
    """Trains every weight of the saved model on the texts, so that the most likely token leads by a margin."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    rows = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    stream = torch.tensor([token for row in rows for token in row])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * min(1, (step + 1) / 10) * (1 - step / steps)
        starts = torch.randint(0, len(stream) - 128, (8,), generator=generator).tolist()
        batch = torch.stack([stream[start : start + 128] for start in starts])  # (B, T)
        loss = model(input_ids=batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder, max_shard_size="500KB")
