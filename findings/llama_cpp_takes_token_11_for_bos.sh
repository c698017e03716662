#!/usr/bin/env bash
# llama.cpp's server (xllamacpp 2026.10.11549) and a GGUF file of a byte-level BPE tokenizer that names no begin token.
#
# A good guess: where `tokenizer.ggml.bos_token_id` is missing, `bos_token` in the chat template is empty, as it is in
# transformers where a tokenizer has none.
# Seen: token 11 is taken for it, whatever that is; here it is "+", and every chat begins with it, without an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" xllamacpp==2026.10.11549 gguf==0.19.0
cd "$folder"
env/bin/python - <<'PYTHON' 2> log || { cat log; exit 1; }
import json
import urllib.request

import gguf
import numpy as np
import xllamacpp

TEMPLATE = "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
printed = [*range(33, 127), *range(161, 173), *range(174, 256)]  # GPT-2's letters for bytes
letters = [chr(byte) for byte in printed] + [chr(256 + n) for n in range(256 - len(printed))]
tokens = ["<end>", *letters]
size, width = len(tokens), 32


def write(file: str, **named: int) -> None:
    writer = gguf.GGUFWriter(file, "llama")
    for add, value in (
        (writer.add_vocab_size, size), (writer.add_context_length, 128), (writer.add_embedding_length, width),
        (writer.add_block_count, 1), (writer.add_feed_forward_length, width), (writer.add_head_count, 2),
        (writer.add_head_count_kv, 2), (writer.add_rope_dimension_count, 16), (writer.add_layer_norm_rms_eps, 1e-5),
        (writer.add_tokenizer_model, "gpt2"), (writer.add_tokenizer_pre, "gpt-2"), (writer.add_token_list, tokens),
        (writer.add_token_types, [gguf.TokenType.CONTROL] + [gguf.TokenType.NORMAL] * (size - 1)),
        (writer.add_token_merges, [f"{tokens[1]} {tokens[2]}"]), (writer.add_eos_token_id, 0),
        (writer.add_chat_template, TEMPLATE), (writer.add_add_bos_token, True),
    ):  # fmt: skip
        add(value)
    if named:
        writer.add_bos_token_id(named["bos"])
    shapes = {"token_embd": (size, width), "output": (size, width), "output_norm": (width,)}
    shapes |= {"blk.0.attn_norm": (width,), "blk.0.ffn_norm": (width,)}
    shapes |= {f"blk.0.attn_{name}": (width, width) for name in ("q", "k", "v", "output")}
    shapes |= {f"blk.0.ffn_{name}": (width, width) for name in ("gate", "up", "down")}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", np.ones(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def first_token(file: str) -> int:
    params = xllamacpp.CommonParams()
    params.model.path, params.port, params.n_ctx, params.verbosity = file, 0, 128, 0
    server = xllamacpp.Server(params)

    def post(path: str, body: dict) -> dict:
        body = json.dumps(body).encode()
        request = urllib.request.Request(server.listening_address + path, body, {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
            return json.load(response)

    asked = {"messages": [{"role": "user", "content": "hi"}]}
    prompt = post("/apply-template", asked)["prompt"]
    found = post("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"]
    print(file, repr(prompt), found[:4])
    return found[0]


write("named.gguf", bos=0)
write("unnamed.gguf")
assert first_token("named.gguf") == 0
assert tokens[11] == "+" and first_token("unnamed.gguf") == 11, "it takes another token, or none, now"
PYTHON
