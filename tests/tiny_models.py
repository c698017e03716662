"""Tiny models of random weights with byte-level BPE tokenizers, saved as Hugging Face folders."""

import json
from pathlib import Path
from typing import Any

from stages.exporting.gguf_tokenizer import PRE_TOKENIZERS
from stages.params.weights import Lora

SPECIAL_TOKENS = ["<|pad|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|bos|>"]
TEMPLATE = (
    '{% for m in messages %}<|{{ m.role }}|>{% if m.role == "assistant" %}'
    "{% generation %}{{ m.content }}<|end|>{% endgeneration %}{% else %}{{ m.content }}<|end|>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SENTENCES = [
    "The cat sat on the mat, and it's 1234 o'clock; don't you think they'll come? We've seen 56789 of them.",
    "def f(x):\n    return x + 1\n\n\nSchöne Grüße aus München, naïve café. 你好，世界！ Привет, мир 🙂👍🏽",
]
TINY = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}
PLAIN_LORA = Lora(
    r=4, lora_alpha=8, lora_dropout=0.0, target_modules="all-linear", use_dora=False, use_rslora=False,
    init_lora_weights=True, layers_to_transform=None, modules_to_save=[], trainable_token_indices=[],
    loraplus_lr_ratio=None,
)  # fmt: skip


def untrained_bpe(pre_tokenizer: str) -> Any:
    """A byte-level BPE tokenizer without merges that splits text as llama.cpp's `pre_tokenizer`."""
    from tokenizers import Tokenizer, decoders, models

    steps, ignore_merges = PRE_TOKENIZERS[pre_tokenizer]
    state = json.loads(Tokenizer(models.BPE(ignore_merges=ignore_merges)).to_str())
    state["pre_tokenizer"] = {
        "type": "Sequence",
        "pretokenizers": [step | {"trim_offsets": True} for step in steps],
    }
    bpe = Tokenizer.from_str(json.dumps(state))
    bpe.decoder = decoders.ByteLevel()
    return bpe


def build_tokenizer(folder: Path, pre_tokenizer: str = "gpt-2", **settings: Any) -> None:
    """Saves a byte-level BPE tokenizer of 380 tokens that splits text as llama.cpp's `pre_tokenizer`.

    `settings` are arguments of PreTrainedTokenizerFast.
    """
    from tokenizers import AddedToken, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = untrained_bpe(pre_tokenizer)
    trainer = trainers.BpeTrainer(
        vocab_size=378,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(SENTENCES * 2, trainer)
    bpe.add_tokens([AddedToken("<tool>", special=False), AddedToken("»»", special=False)])
    PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        **({"eos_token": "<|end|>", "pad_token": "<|pad|>", "chat_template": TEMPLATE} | settings),
    ).save_pretrained(folder)


def build_model(folder: Path, architecture: str = "llama", dtype: str = "float32", **config: Any) -> Path:
    """Saves a tiny model of seeded random weights, with a tokenizer unless the folder has one."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    if not (folder / "tokenizer.json").exists():
        build_tokenizer(folder, "qwen2" if architecture == "qwen2" else "gpt-2")
    sizes = TINY | {
        "vocab_size": 384,  # four more than the tokenizer has
        "tie_word_embeddings": architecture == "llama",
        "initializer_range": 0.1,
        "eos_token_id": SPECIAL_TOKENS.index("<|end|>"),
        "bos_token_id": None,
        "pad_token_id": 0,
    }
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **(sizes | config)))
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith(("bias", "norm.weight")):  # initialized to 0 and 1, which would hide errors
                weights += 0.2 * torch.randn_like(weights)
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    return folder


def build_reward_model(folder: Path, start: Path) -> Path:
    """Saves a reward model of a seeded random head on the model of `start`, with its tokenizer."""
    import torch
    from transformers import AutoTokenizer

    from stages.training import task_types

    torch.manual_seed(1)
    task_types.load("SEQ_CLS", start).save_pretrained(folder)
    AutoTokenizer.from_pretrained(start).save_pretrained(folder)
    return folder


def teach(model: Path, conversations: list[dict[str, Any]], answers: list[str]) -> Path:
    """Trains the saved model until it knows the answers.

    The most likely token then leads by a margin, as in real models, and rounding does not decide which one it is.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model)
    texts = [
        tokenizer.apply_chat_template(
            c["messages"], tools=c["tools"] or None, add_generation_prompt=True, tokenize=False
        )
        + f"{answer}<|end|>"
        for c, answer in zip(conversations, answers, strict=True)
    ]
    batch = tokenizer(texts, padding=True, padding_side="right", add_special_tokens=False, return_tensors="pt")
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)  # (B, T)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(150):
        loss = network(**batch, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.save_pretrained(model)
    return model


def pack(model: Path, folder: Path) -> Path:
    """Saves the model in W4A16 as llmcompressor does, rounded to the nearest. Its rows are multiples of 128."""
    import shutil

    from compressed_tensors.compressors import ModelCompressor
    from compressed_tensors.quantization import QuantizationConfig, apply_quantization_config
    from compressed_tensors.quantization.utils import calculate_qparams
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(model)
    apply_quantization_config(network, QuantizationConfig(config_groups={"W4A16": ["Linear"]}, ignore=["lm_head"]))
    for module in network.modules():
        if hasattr(module, "weight_scale"):
            groups = module.weight.detach().unflatten(1, (-1, 128))
            scale, _ = calculate_qparams(groups.amin(-1), groups.amax(-1), module.quantization_scheme.weights)
            module.weight_scale.data.copy_(scale)
    compressor = ModelCompressor.from_pretrained_model(network)
    compressor.compress_model(network)
    network.save_pretrained(folder)
    compressor.update_config(str(folder))
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(model / file, folder / file)
    return folder


def edit_json(path: Path, **changes: Any) -> None:
    """Merges `changes` into a JSON file; None removes a key."""
    merged = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in merged.items() if value is not None}))
