#!/usr/bin/env bash
# transformers 5.23.0 with compressed-tensors 0.19.0 and torch 2.13.0, a small Llama in W4A16 (pack-quantized).
#
# A good guess: a quantized model that is loaded, run and saved again is the quantized model.
# Seen: loaded and saved, it is: the matrices are weight_packed in 4 bits. Loaded, run once and saved, they are dense
# float32, and the folder is as large as the model before quantization, while its config.json still says pack-quantized. So
# a script that loads a model, tries it and saves it (to add a tokenizer, to shard it anew) undoes the quantization.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" compressed-tensors==0.19.0 accelerate==1.15.0 transformers==5.23.0 \
  torch==2.13.0
cd "$folder"
env/bin/python - <<'PYTHON' 2> log || { cat log; exit 1; }
import json
from pathlib import Path

import torch
import transformers
from compressed_tensors.compressors import ModelCompressor
from compressed_tensors.quantization import QuantizationConfig, apply_quantization_config
from compressed_tensors.quantization.utils import calculate_qparams
from safetensors import safe_open
from transformers import AutoModelForCausalLM, LlamaConfig

config = LlamaConfig(vocab_size=256, hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4)
torch.manual_seed(0)
model = AutoModelForCausalLM.from_config(config)
apply_quantization_config(model, QuantizationConfig(config_groups={"W4A16": ["Linear"]}, ignore=["lm_head"]))
for module in model.modules():
    if hasattr(module, "weight_scale"):  # rounded to the nearest, in groups of 128
        groups = module.weight.detach().unflatten(1, (-1, 128))
        scale, _ = calculate_qparams(groups.amin(-1), groups.amax(-1), module.quantization_scheme.weights)
        module.weight_scale.data.copy_(scale)
compressor = ModelCompressor.from_pretrained_model(model)
compressor.compress_model(model)
model.save_pretrained("quantized")
compressor.update_config("quantized")


def look(folder: str) -> tuple[int, int, str]:
    """(packed matrices, bytes, format of config.json)"""
    file = Path(folder, "model.safetensors")
    with safe_open(file, "pt") as tensors:
        packed = sum(name.endswith("weight_packed") for name in tensors.keys())
    said = json.loads(Path(folder, "config.json").read_text())["quantization_config"]["format"]
    print(f"{folder:10} {packed:2} packed matrices, {file.stat().st_size:,} bytes, config.json says {said}")
    return packed, file.stat().st_size, said


AutoModelForCausalLM.from_pretrained("quantized").save_pretrained("saved")
again = AutoModelForCausalLM.from_pretrained("quantized")
with torch.no_grad():
    again(input_ids=torch.tensor([[1, 2, 3]]))
again.save_pretrained("run")

print("transformers", transformers.__version__)
quantized, saved, run = look("quantized"), look("saved"), look("run")
assert quantized[0] == saved[0] == 14
assert run[0] == 0 and run[1] > 2 * quantized[1], "what has run stays packed now"
assert run[2] == "pack-quantized", "config.json says so now"
PYTHON
