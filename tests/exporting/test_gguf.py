"""The GGUF writer: same folder, same bytes; what GGUF cannot hold is refused.

Whether llama.cpp understands the file is tested in runtimes/test_llama_cpp.py.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from modelmake.errors import UserError
from stages.exporting.gguf import write_gguf
from stages.exporting.gguf_tokenizer import PRE_TOKENIZERS

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


def build_tokenizer(folder: Path, pre_tokenizer: str = "gpt-2", **settings: Any) -> None:
    """Save a byte-level BPE tokenizer of 380 tokens, split as llama.cpp's `pre_tokenizer`; settings win."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    steps, ignore_merges = PRE_TOKENIZERS[pre_tokenizer]
    bpe = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    whole = json.loads(bpe.to_str())
    whole["pre_tokenizer"] = {
        "type": "Sequence",
        "pretokenizers": [step | {"trim_offsets": True} for step in steps],
    }
    bpe = Tokenizer.from_str(json.dumps(whole))
    bpe.decoder = decoders.ByteLevel()
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
    """Save a tiny model of seeded random weights, with a tokenizer unless the folder has one."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    if not (folder / "tokenizer.json").exists():
        build_tokenizer(folder, "qwen2" if architecture == "qwen2" else "gpt-2")
    sizes = TINY | {
        "vocab_size": 384,  # four more than the tokenizer
        "tie_word_embeddings": architecture == "llama",
        "initializer_range": 0.1,
        "eos_token_id": SPECIAL_TOKENS.index("<|end|>"),
        "bos_token_id": None,
        "pad_token_id": 0,
    }
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **(sizes | config)))
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith(("bias", "norm.weight")):  # else biases are 0 and norms 1, and prove nothing
                weights += 0.2 * torch.randn_like(weights)
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    return folder


def teach(model: Path, conversations: list[list[dict]], answers: list[str]) -> Path:
    """Train the saved model until it knows the answers: then the likeliest token is so by a margin, as in
    real models, and not by what two ways of rounding differ."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model)
    texts = [
        tokenizer.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False) + f"{answer}<|end|>"
        for conversation, answer in zip(conversations, answers, strict=True)
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


def edit_json(path: Path, **changes: Any) -> None:
    """Merge `changes` into a JSON file; None removes a key."""
    merged = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in merged.items() if value is not None}))


def tensors_of(gguf_file: Path) -> dict[str, gguf.ReaderTensor]:
    return {tensor.name: tensor for tensor in gguf.GGUFReader(gguf_file).tensors}


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def copy(llama: Path, tmp_path: Path) -> Path:
    return shutil.copytree(llama, tmp_path / "copy")


@pytest.mark.parametrize("quant", ["F32", "Q8_0"])
def test_bytes_depend_on_content_only(llama: Path, copy: Path, tmp_path: Path, quant: str) -> None:
    first = write_gguf(llama, tmp_path / "a.gguf", quant)
    second = write_gguf(copy, tmp_path / "elsewhere.gguf", quant)
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "elsewhere.gguf").read_bytes()
    assert first == second
    assert first["bytes"] == (tmp_path / "a.gguf").stat().st_size
    assert str(tmp_path).encode() not in (tmp_path / "a.gguf").read_bytes()


def test_shards_give_the_same_bytes(llama: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    sharded = shutil.copytree(llama, tmp_path / "sharded", ignore=shutil.ignore_patterns("*.safetensors"))
    AutoModelForCausalLM.from_pretrained(llama).save_pretrained(sharded, max_shard_size="100KB")
    assert len(list(sharded.glob("*.safetensors"))) > 1
    write_gguf(llama, tmp_path / "one.gguf", "F16")
    write_gguf(sharded, tmp_path / "many.gguf", "F16")
    assert (tmp_path / "one.gguf").read_bytes() == (tmp_path / "many.gguf").read_bytes()


def test_bfloat16_weights_are_widened_exactly(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model = build_model(tmp_path / "bf16", "qwen3", dtype="bfloat16")
    widened = shutil.copytree(model, tmp_path / "f32")
    weights = load_file(model / "model.safetensors")
    save_file({name: tensor.float() for name, tensor in weights.items()}, widened / "model.safetensors")
    for quant in ("F32", "BF16"):
        write_gguf(model, tmp_path / "bf16.gguf", quant)
        write_gguf(widened, tmp_path / "f32.gguf", quant)
        assert (tmp_path / "bf16.gguf").read_bytes() == (tmp_path / "f32.gguf").read_bytes()
    stored = tensors_of(tmp_path / "bf16.gguf")["blk.0.ffn_up.weight"]
    source = weights["model.layers.0.mlp.up_proj.weight"].float().numpy()
    assert (gguf.quants.dequantize(stored.data, stored.tensor_type) == source).all()


def test_tensor_types(copy: Path, tmp_path: Path) -> None:
    build_model(copy, intermediate_size=80)  # rows of 80 are no multiple of the block of 32
    report = write_gguf(copy, tmp_path / "q4.gguf", "Q4_0")
    types = {name: tensor.tensor_type.name for name, tensor in tensors_of(tmp_path / "q4.gguf").items()}
    assert types["output_norm.weight"] == types["blk.0.attn_norm.weight"] == "F32"
    assert types["token_embd.weight"] == "Q8_0"  # tied: it's the output matrix too
    assert types["blk.1.ffn_down.weight"] == "F16"
    assert types["blk.1.ffn_up.weight"] == types["blk.1.attn_q.weight"] == "Q4_0"
    assert report["tensors"] == {"F16": 2, "F32": 5, "Q4_0": 12, "Q8_0": 1}


def test_ids_without_a_token_are_unused(llama: Path, tmp_path: Path) -> None:
    write_gguf(llama, tmp_path / "a.gguf", "F16")
    reader = gguf.GGUFReader(tmp_path / "a.gguf")
    types = reader.get_field("tokenizer.ggml.token_type").contents()
    names = reader.get_field("tokenizer.ggml.tokens").contents()
    assert types[380:] == [gguf.TokenType.UNUSED] * 4
    assert names[378:] == ["<tool>", "»»", "[PAD380]", "[PAD381]", "[PAD382]", "[PAD383]"]
    assert types[378:380] == [gguf.TokenType.USER_DEFINED] * 2
    assert types[: len(SPECIAL_TOKENS)] == [gguf.TokenType.CONTROL] * len(SPECIAL_TOKENS)
    assert types[len(SPECIAL_TOKENS)] == gguf.TokenType.NORMAL


def test_llama3_rope_factors_are_those_of_transformers(copy: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    rope = {
        "rope_type": "llama3",
        "rope_theta": 10000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    edit_json(copy / "config.json", rope_parameters=rope)
    write_gguf(copy, tmp_path / "a.gguf", "F32")
    factors = tensors_of(tmp_path / "a.gguf")["rope_freqs.weight"].data
    expected = AutoModelForCausalLM.from_pretrained(copy).model.rotary_emb.inv_freq.numpy()
    plain = 10000.0 ** -(np.arange(0, 16, 2) / 16)
    np.testing.assert_allclose(plain / factors, expected, rtol=1e-6)
    assert len(np.unique(factors)) > 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model_type": "gpt_neox"},
            r"config.json: model_type = 'gpt_neox': want one of llama, qwen2, qwen3; use",
        ),
        ({"hidden_act": "gelu"}, r"config.json: hidden_act = 'gelu': want 'silu'"),
        ({"use_sliding_window": True}, r"use_sliding_window = True: want False"),
        (
            {"rope_parameters": {"rope_type": "yarn"}},
            r"rope_type = 'yarn' of llama: want 'default', or 'llama3'",
        ),
        ({"vocab_size": 300}, r"tokenizer.json: token id 379: want all below config.json's vocab_size = 300"),
        ({"tie_word_embeddings": False}, r"no lm_head.weight: want one"),
        ({"num_hidden_layers": 1}, r"tensor 'model.layers.1.*want a plain llama causal model"),
    ],
)
def test_refuses_a_config(copy: Path, tmp_path: Path, changes: dict, message: str) -> None:
    edit_json(copy / "config.json", **changes)
    with pytest.raises(UserError, match=message):
        write_gguf(copy, tmp_path / "a.gguf", "F16")


BOS_FIRST = {"type": "TemplateProcessing", "special_tokens": {}, "pair": []} | {
    "single": [{"SpecialToken": {"id": "<|bos|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
}


@pytest.mark.parametrize(
    ("tokenizer", "settings", "message"),
    [
        (
            {"pre_tokenizer": {"type": "Whitespace"}},
            {},
            r"pre_tokenizer = \[.*Whitespace.* want .*gpt-2, smollm",
        ),
        ({"pre_tokenizer": None}, {}, r"pre_tokenizer = \[.*want .*; train it with"),
        ({}, {"tokenizer_class": "BloomTokenizer"}, r"tokenizer_class = 'BloomTokenizer'"),
        ({"normalizer": {"type": "Lowercase"}}, {}, r"BPE with \['Lowercase'\]: want byte-level BPE without"),
        ({}, {"eos_token": None}, None),  # the generation config still names one
        (
            {"post_processor": {"type": "RobertaProcessing"}},
            {},
            r"adds \['RobertaProcessing'\] before a text",
        ),
        ({}, {"add_eos_token": True}, r"adds \['<\|end\|>'\] and the chat template"),
        ({}, {"add_bos_token": True, "bos_token": "<|bos|>"}, r"adds \['<\|bos\|>'\] and the chat template"),
        (
            {"post_processor": BOS_FIRST},
            {"bos_token": "<|bos|>"},
            r"adds \['<\|bos\|>'\] and the chat template",
        ),
        ({"post_processor": BOS_FIRST}, {"bos_token": "<|bos|>", "add_bos_token": False}, None),
    ],
)
def test_refuses_a_tokenizer(copy: Path, tmp_path: Path, tokenizer: dict, settings: dict, message: str | None) -> None:
    whole = json.loads((copy / "tokenizer.json").read_text())
    (copy / "tokenizer.json").write_text(json.dumps(whole | tokenizer))
    edit_json(copy / "tokenizer_config.json", **settings)
    if message is None:
        write_gguf(copy, tmp_path / "a.gguf", "F16")
        return
    with pytest.raises(UserError, match=message):
        write_gguf(copy, tmp_path / "a.gguf", "F16")


def test_refuses_a_template_with_a_bos_token_that_is_none(copy: Path, tmp_path: Path) -> None:
    (copy / "chat_template.jinja").write_text("{{ bos_token }}" + TEMPLATE)
    with pytest.raises(UserError, match="the chat template uses bos_token and the tokenizer has none"):
        write_gguf(copy, tmp_path / "a.gguf", "F16")


def test_refuses_a_model_that_never_ends(copy: Path, tmp_path: Path) -> None:
    edit_json(copy / "tokenizer_config.json", eos_token=None)
    edit_json(copy / "generation_config.json", eos_token_id=None)
    with pytest.raises(UserError, match=r"end tokens \[\].*want 1 to 3"):
        write_gguf(copy, tmp_path / "a.gguf", "F16")


@pytest.mark.parametrize(("value", "quant"), [(1e6, "F16"), (float("nan"), "Q8_0")])
def test_refuses_weights_that_are_not_finite(copy: Path, tmp_path: Path, value: float, quant: str) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"][3, 4] = value
    save_file(weights, copy / "model.safetensors")
    with pytest.raises(UserError, match=f"blk.1.ffn_up.weight as {quant}: want finite"):
        write_gguf(copy, tmp_path / "a.gguf", quant)


def test_refuses_an_unknown_quant(llama: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"quant = 'Q4_K_M': want one of F32, .*; let llama.cpp quantize"):
        write_gguf(llama, tmp_path / "a.gguf", "Q4_K_M")
    assert not (tmp_path / "a.gguf").exists()
