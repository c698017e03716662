#!/usr/bin/env bash
# llama.cpp's server (xllamacpp 2026.10.11549) and transformers 5.23.0, one chat template with `tools`, one conversation.
#
# A good guess: the chat template in a GGUF file makes the same prompt as in the model folder that it was converted from.
# Seen: llama.cpp parses tools and calls first, and the template gets them rewritten. Of a function only name, description
# and parameters stay, in this order; one without a description gets an empty one; 1.0 becomes 1. So a model that was trained
# on tools as they are published is served with a prompt that it was not trained on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" xllamacpp==2026.10.11549 gguf==0.19.0 transformers==5.23.0 jinja2
cd "$folder"
env/bin/python - <<'PYTHON' 2> log || { cat log; exit 1; }
import json
import urllib.request

import gguf
import numpy as np
import transformers
import xllamacpp
from transformers.utils.chat_template_utils import render_jinja_template

TEMPLATE = "{% for t in tools %}{{ t | tojson }}\n{% endfor %}{% for m in messages %}{{ m | tojson }}\n{% endfor %}"
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
    (writer.add_chat_template, TEMPLATE),
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

parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
tools = [
    {"type": "function", "function": {"name": "weather", "parameters": parameters}},
    {"type": "function", "function": {"parameters": parameters, "strict": True, "description": "now", "name": "time"}},
]
call = {"type": "function", "function": {"name": "weather", "arguments": {"hours": 1.0}}}
messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "", "tool_calls": [call]}]
messages += [{"role": "tool", "content": "rain"}]
[rendered], _ = render_jinja_template([messages], tools=tools, chat_template=TEMPLATE)

params = xllamacpp.CommonParams()
params.model.path, params.port, params.n_ctx, params.verbosity = "model.gguf", 0, 128, 0
server = xllamacpp.Server(params)
body = json.dumps({"messages": messages, "tools": tools}).encode()
request = urllib.request.Request(f"{server.listening_address}/apply-template", body, {"Content-Type": "application/json"})
with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
    served = json.load(response)["prompt"]
print("transformers", transformers.__version__, rendered, sep="\n")
print("llama.cpp", served, sep="\n")
described = '{"type": "function", "function": {"name": "weather", "description": "", "parameters"'
assert described in served and described not in rendered
assert '"strict": true' in rendered and "strict" not in served
assert '"hours": 1.0' in rendered and '"hours": 1}' in served
PYTHON
