"""Models of real architectures at tiny width, with tokenizers built like the real ones, as model folders."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.tiny_models import edit_json, untrained_bpe


class Architecture(NamedTuple):
    """Settings of a hub model's config.json, tokenizer files and generation_config.json, except sizes."""

    model_type: str
    config: dict[str, Any]
    pre_tokenizer: str  # llama.cpp's name, of tokens that are bytes; or one of PIECES
    special_tokens: list[str]
    settings: dict[str, Any]  # tokenizer_config.json
    end_tokens: list[str]  # of generation_config.json
    normalizer: str | None = None
    added_tokens: tuple[str, ...] = ()  # not special
    begin_token: str | None = None  # added before every text
    stripping: tuple[str, ...] = ()  # special tokens that take the white space after them
    generation: Mapping[str, Any] = MappingProxyType({})  # more of generation_config.json
    code: Mapping[str, str] = MappingProxyType({})  # auto_map: the author's own modules, never run


# {tokens that are pieces of text, as SentencePiece makes them: (normalizer, pre_tokenizer) of tokenizer.json}
SPACES = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
PIECES: dict[str, tuple[Any, Any]] = {
    "llama": ({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, SPACES]}, None),
    "mistral": (None, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}),
    "gemma": (
        SPACES,
        {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
    ),
}
LLAMA3_ROPE = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
LLAMA2_SPECIAL = ["<unk>", "<s>", "</s>"]
LLAMA2_SETTINGS = {
    "tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
    "add_bos_token": True, "add_eos_token": False, "legacy": False, "clean_up_tokenization_spaces": False,
}  # fmt: skip
PHI3_SPECIAL = [f"<|{name}|>" for name in ("endoftext", "assistant", "placeholder1", "system", "end", "user")]
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
    "tinyllama_1b": Architecture(
        "llama",
        {
            "hidden_size": 256, "intermediate_size": 512, "num_attention_heads": 8, "num_key_value_heads": 1,
            "tie_word_embeddings": False, "rms_norm_eps": 1e-5,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        },
        "llama",
        LLAMA2_SPECIAL,
        LLAMA2_SETTINGS | {"pad_token": "</s>"},
        ["</s>"],
        begin_token="<s>",
        generation={"max_length": 2048, "pad_token_id": 0},
    ),
    "phi3_mini": Architecture(
        "phi3",
        {
            "hidden_size": 256, "intermediate_size": 512, "num_attention_heads": 4, "num_key_value_heads": 4,
            "tie_word_embeddings": False, "rms_norm_eps": 1e-5, "sliding_window": 511,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        },
        "llama",
        [*LLAMA2_SPECIAL[:2], *PHI3_SPECIAL],
        LLAMA2_SETTINGS | {"add_bos_token": False, "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"},
        ["<|endoftext|>", "<|assistant|>", "<|end|>"],
        added_tokens=("</s>",),
        stripping=("</s>", *PHI3_SPECIAL[1:]),
        code={
            "AutoConfig": "configuration_phi3.Phi3Config", "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM",
        },
    ),
    "mistral_7b": Architecture(
        "mistral",
        {
            "hidden_size": 256, "intermediate_size": 512, "num_attention_heads": 4, "num_key_value_heads": 1,
            "head_dim": 64, "tie_word_embeddings": False, "rms_norm_eps": 1e-5, "sliding_window": None,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
        },
        "mistral",
        [*LLAMA2_SPECIAL, "[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"],
        LLAMA2_SETTINGS | {"add_prefix_space": True},
        ["</s>"],
        begin_token="<s>",
    ),
    "gemma2_2b": Architecture(
        "gemma2",
        {
            "hidden_size": 256, "intermediate_size": 512, "num_attention_heads": 4, "num_key_value_heads": 2,
            "head_dim": 64, "query_pre_attn_scalar": 64, "sliding_window": 512, "rms_norm_eps": 1e-6,
            "final_logit_softcapping": 30.0, "attn_logit_softcapping": 50.0,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        },
        "gemma",
        ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"],
        {
            "tokenizer_class": "GemmaTokenizer", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>",
            "unk_token": "<unk>", "add_bos_token": True, "add_eos_token": False, "clean_up_tokenization_spaces": False,
            "additional_special_tokens": ["<start_of_turn>", "<end_of_turn>"], "spaces_between_special_tokens": False,
        },
        ["<eos>", "<end_of_turn>"],
        added_tokens=("\n\n", "\n\n\n", "▁▁", "▁▁▁"),
        begin_token="<bos>",
        generation={"cache_implementation": "hybrid"},
    ),
}  # fmt: skip
# The same tokenizer and template in other sizes.
ARCHITECTURES["llama3_1_70b"] = ARCHITECTURES["llama3_1_8b"]._replace(
    config=ARCHITECTURES["llama3_1_8b"].config | {"num_attention_heads": 8, "num_key_value_heads": 1}
)
ARCHITECTURES["llama3_2_1b_distilled"] = ARCHITECTURES["llama3_1_8b"]._replace(
    config=ARCHITECTURES["llama3_1_8b"].config
    | {"rope_parameters": LLAMA3_ROPE | {"factor": 32.0}, "tie_word_embeddings": True}
)
ARCHITECTURES["smollm2_135m_cpt_sft_dpo"] = ARCHITECTURES["smollm2_135m_orpo"] = ARCHITECTURES["smollm2_135m"]


def write(architecture: Architecture, folder: Path, corpus: list[str], vocab_size: int = 600) -> Path:
    """Saves a model of seeded random weights and a byte-level BPE tokenizer trained on the corpus."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(parents=True)
    ids = _write_tokenizer(architecture, folder, corpus, vocab_size - 10)
    vocab_size = max(vocab_size, max(ids.values()) + 10)
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
    edit_json(folder / "generation_config.json", **architecture.generation)
    if architecture.code:
        edit_json(folder / "config.json", auto_map=dict(architecture.code))
    return folder


def _write_tokenizer(architecture: Architecture, folder: Path, corpus: list[str], size: int) -> dict[str, int]:
    """Saves the tokenizer and returns {token: id}."""
    from tokenizers import AddedToken, processors

    def added(token: str, special: bool) -> Any:
        return AddedToken(token, special=special, normalized=False, rstrip=token in architecture.stripping)

    specials = [added(token, True) for token in architecture.special_tokens]
    train = _of_pieces if architecture.pre_tokenizer in PIECES else _of_bytes
    bpe = train(architecture, specials, corpus, size)
    bpe.add_tokens([added(token, False) for token in architecture.added_tokens])
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


def _of_bytes(architecture: Architecture, specials: list[Any], corpus: list[str], size: int) -> Any:
    from tokenizers import normalizers, pre_tokenizers, trainers

    bpe = untrained_bpe(architecture.pre_tokenizer)
    if architecture.normalizer:
        bpe.normalizer = getattr(normalizers, architecture.normalizer)()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(corpus, trainer)
    return bpe


def _of_pieces(architecture: Architecture, specials: list[Any], corpus: list[str], size: int) -> Any:
    """Pieces of words, and a token for each byte of what is in none of them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    bpe = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace()  # so that no piece spans two words
    all_bytes = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=size + len(all_bytes), special_tokens=[*specials, *all_bytes], show_progress=False
    )
    bpe.train_from_iterator(corpus, trainer)
    state = json.loads(bpe.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] not in all_bytes]
    state["normalizer"], state["pre_tokenizer"] = PIECES[architecture.pre_tokenizer]
    bpe = Tokenizer.from_str(json.dumps(state))
    strip = [] if architecture.pre_tokenizer == "gemma" else [decoders.Strip(" ", 1, 0)]
    bpe.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip])
    return bpe


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
