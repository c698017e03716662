#!/usr/bin/env bash
# llama.cpp (xllamacpp 2026.10.11549), pre-tokenizer `tekken` of Mistral Nemo and its kin, against tokenizers 0.23.3.
#
# A good guess: a GGUF file that names a model's pre-tokenizer splits texts as the model's tokenizer.json does.
# Seen: `tekken` splits words where a small letter is followed by a capital one. llama.cpp has no classes of capital and
# small letters in its expressions, and writes "no a to z" and "no A to Z" instead: "мирМИР" is two words in tokenizers and
# one in llama.cpp, so that merges apply across the border, and the model reads tokens that it was not trained on.
# "worldWORLD" is split the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" xllamacpp==2026.10.11549 gguf==0.19.0 tokenizers==0.23.3
cd "$folder"
env/bin/python - <<'PYTHON' 2> log || { cat log; exit 1; }
import json
import urllib.request

import gguf
import numpy as np
import tokenizers
import xllamacpp

REGEX = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?"
    r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+"
)
printed = [*range(33, 127), *range(161, 173), *range(174, 256)]  # GPT-2's letters for bytes
letters = {byte: chr(byte) for byte in printed}
letters |= {byte: chr(256 + n) for n, byte in enumerate(b for b in range(256) if b not in printed)}


def pair(text: str, at: int) -> tuple[str, str]:
    """The letters of two bytes next to each other."""
    first, second = text.encode()[at : at + 2]
    return letters[first], letters[second]


merges = [pair("рМ", 1), pair("dW", 0)]  # across the borders of мирМИР and worldWORLD
tokens = ["<end>", *letters.values(), *("".join(merge) for merge in merges)]
ids = {token: number for number, token in enumerate(tokens)}
tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(ids, merges))
tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([
    tokenizers.pre_tokenizers.Split(tokenizers.Regex(REGEX), "isolated"),
    tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
])

size, width = len(tokens), 32
writer = gguf.GGUFWriter("model.gguf", "llama")
for add, value in (
    (writer.add_vocab_size, size), (writer.add_context_length, 128), (writer.add_embedding_length, width),
    (writer.add_block_count, 1), (writer.add_feed_forward_length, width), (writer.add_head_count, 2),
    (writer.add_head_count_kv, 2), (writer.add_rope_dimension_count, 16), (writer.add_layer_norm_rms_eps, 1e-5),
    (writer.add_tokenizer_model, "gpt2"), (writer.add_tokenizer_pre, "tekken"), (writer.add_token_list, tokens),
    (writer.add_token_types, [gguf.TokenType.CONTROL] + [gguf.TokenType.NORMAL] * (size - 1)),
    (writer.add_token_merges, [" ".join(merge) for merge in merges]), (writer.add_eos_token_id, 0),
    (writer.add_add_bos_token, False), (writer.add_chat_template, "{{ messages }}"),
):  # fmt: skip
    add(value)
shapes = {"token_embd": (size, width), "output": (size, width), "output_norm": (width,), "blk.0.attn_norm": (width,)}
shapes |= {"blk.0.ffn_norm": (width,)} | {f"blk.0.attn_{name}": (width, width) for name in ("q", "k", "v", "output")}
shapes |= {f"blk.0.ffn_{name}": (width, width) for name in ("gate", "up", "down")}
for name, shape in shapes.items():
    writer.add_tensor(f"{name}.weight", np.ones(shape, np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

params = xllamacpp.CommonParams()
params.model.path, params.port, params.n_ctx, params.verbosity = "model.gguf", 0, 128, 0
server = xllamacpp.Server(params)


def served(text: str) -> list[int]:
    body = json.dumps({"content": text, "add_special": False}).encode()
    request = urllib.request.Request(f"{server.listening_address}/tokenize", body, {"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
        return json.load(response)["tokens"]


for text, same in (("worldWORLD", True), ("мирМИР", False)):
    own, theirs = tokenizer.encode(text).ids, served(text)
    print(f"{text}: {len(own)} tokens in tokenizers {tokenizers.__version__}, {len(theirs)} in llama.cpp")
    assert (own == theirs) == same
    assert len(own) == len(text.encode())  # no merge
PYTHON
