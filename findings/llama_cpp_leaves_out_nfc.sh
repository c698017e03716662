#!/usr/bin/env bash
# llama.cpp's server (xllamacpp 2026.10.11549) and tokenizers 0.23.3, one byte-level BPE tokenizer with NFC, as Qwen's have it.
#
# A good guess: a GGUF file with Qwen's `tokenizer.ggml.pre` makes the tokens that the model was trained on.
# Seen: llama.cpp leaves the normalization out. "e" with a combining acute accent is three tokens there, and the two of "é" in
# tokenizers; macOS's file names, some keyboards and PDF readers give such texts. GGUF has no key for it, so nothing tells.
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
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

printed = [*range(33, 127), *range(161, 173), *range(174, 256)]  # GPT-2's letters for bytes
letters = [chr(byte) for byte in printed] + [chr(256 + n) for n in range(256 - len(printed))]
tokens = ["<end>", *letters, "!!"]
trained = Tokenizer(models.BPE({token: n for n, token in enumerate(tokens)}, [("!", "!")]))
trained.normalizer, trained.pre_tokenizer = normalizers.NFC(), pre_tokenizers.ByteLevel(add_prefix_space=False)

size, width = len(tokens), 32
writer = gguf.GGUFWriter("model.gguf", "llama")
for add, value in (
    (writer.add_vocab_size, size), (writer.add_context_length, 128), (writer.add_embedding_length, width),
    (writer.add_block_count, 1), (writer.add_feed_forward_length, width), (writer.add_head_count, 2),
    (writer.add_head_count_kv, 2), (writer.add_rope_dimension_count, 16), (writer.add_layer_norm_rms_eps, 1e-5),
    (writer.add_tokenizer_model, "gpt2"), (writer.add_tokenizer_pre, "qwen2"), (writer.add_token_list, tokens),
    (writer.add_token_types, [gguf.TokenType.CONTROL] + [gguf.TokenType.NORMAL] * (size - 1)),
    (writer.add_token_merges, ["! !"]), (writer.add_eos_token_id, 0), (writer.add_add_bos_token, False),
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
    body = json.dumps({"content": text, "add_special": True}).encode()
    request = urllib.request.Request(f"{server.listening_address}/tokenize", body, {"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
        return json.load(response)["tokens"]


composed, apart = "caf\u00e9!!", "cafe\u0301!!"
print("tokenizers", tokenizers.__version__)
for text in (composed, apart):
    print(ascii(text), "trained on", trained.encode(text).ids, "served", served(text))
assert trained.encode(apart).ids == trained.encode(composed).ids == served(composed)
assert served(apart) != served(composed), "llama.cpp does NFC now"
PYTHON
