#!/usr/bin/env bash
# llama.cpp's server (xllamacpp 2026.10.11549), /v1/completions with `json_schema`.
#
# A good guess: a schema that it cannot enforce is refused, or enforced as far as it goes.
# Seen: this build binds answers by llguidance. Where that cannot take a keyword (`not`, `uniqueItems`), the server says so in
# its log, and answers with status 200 as if there were no schema at all: not even the type holds. So a schema is to be tried
# first, and answers are to be validated again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" xllamacpp==2026.10.11549 gguf==0.19.0 numpy
cd "$folder"
env/bin/python - <<'PYTHON' 2> log || { cat log; exit 1; }
from importlib.metadata import version

import gguf
import numpy as np
import xllamacpp

printed = [*range(33, 127), *range(161, 173), *range(174, 256)]  # GPT-2's letters for bytes
letters = [chr(byte) for byte in printed] + [chr(256 + n) for n in range(256 - len(printed))]
tokens = ["<end>", *letters]
size, width = len(tokens), 32
writer = gguf.GGUFWriter("model.gguf", "llama")
for add, value in (
    (writer.add_vocab_size, size), (writer.add_context_length, 128), (writer.add_embedding_length, width),
    (writer.add_block_count, 1), (writer.add_feed_forward_length, width), (writer.add_head_count, 2),
    (writer.add_head_count_kv, 2), (writer.add_rope_dimension_count, 16), (writer.add_layer_norm_rms_eps, 1e-5),
    (writer.add_tokenizer_model, "gpt2"), (writer.add_tokenizer_pre, "gpt-2"), (writer.add_token_list, tokens),
    (writer.add_token_types, [gguf.TokenType.CONTROL] + [gguf.TokenType.NORMAL] * (size - 1)),
    (writer.add_token_merges, [f"{tokens[1]} {tokens[2]}"]), (writer.add_eos_token_id, 0),
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
params.model.path, params.port, params.n_ctx, params.verbosity = "model.gguf", 0, 128, 1
server = xllamacpp.Server(params)


def answer(**asked):
    """All tokens are equally likely to this model: it takes the first that it may, which ends a free answer at once."""
    request = {"prompt": "hi", "max_tokens": 4, "temperature": 0, "samplers": ["top_k"], "top_k": 1, **asked}
    return server.handle_completions(request)["choices"][0]["text"]


free = answer()
bound = answer(json_schema={"type": "integer"})
too_much = answer(json_schema={"type": "integer", "not": {"const": 1}})
print("xllamacpp", version("xllamacpp"))
print("free:", repr(free), "| an integer:", repr(bound), "| an integer, and not 1:", repr(too_much))
assert free == too_much == "" and bound.strip("-0123456789") == "" and bound
PYTHON
grep -q 'Unimplemented keys: \["not"\]' log
