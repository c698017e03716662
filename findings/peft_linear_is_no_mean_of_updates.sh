#!/usr/bin/env bash
# peft 0.21.2, add_weighted_adapter of two LoRA adapters with weights 0.5 and 0.5.
#
# A good guess: combination_type="linear" gives the mean of the two updates.
# Seen: it is farther from that mean than an update of zeros would be. A and B are averaged each on their own, so their
# product has terms of one adapter's A with the other's B. "cat" is exact and has the sum of the ranks; "svd" is exact at
# that rank, and at its default rank, that of one adapter, loses nearly half of the update of two unrelated ones.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" peft==0.21.2 transformers==5.23.0 torch==2.13.0
cd "$folder"
env/bin/python - <<'PYTHON' 2> log || { tail -20 log; exit 1; }
import peft
import torch
import transformers

torch.manual_seed(1)
sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 64}
model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes))
config = peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj"], init_lora_weights=False)
model = peft.get_peft_model(model, config, adapter_name="a")
model.add_adapter("b", config)
layer = model.base_model.model.model.layers[0].self_attn.q_proj
with torch.no_grad():
    mean = (layer.get_delta_weight("a") + layer.get_delta_weight("b")) / 2
    print("peft", peft.__version__)
    distance = {}
    for name, kind, rank in (("linear", "linear", None), ("svd", "svd", None), ("svd_8", "svd", 8), ("cat", "cat", None)):
        model.add_weighted_adapter(["a", "b"], [0.5, 0.5], name, combination_type=kind, svd_rank=rank)
        distance[name] = ((layer.get_delta_weight(name) - mean).norm() / mean.norm()).item()
        print(f"{name:6} rank {layer.r[name]}: {distance[name]:.3f} of the mean update is missing or wrong")
assert distance["linear"] > 0.9 and 0.3 < distance["svd"] < 0.6
assert distance["cat"] < 1e-5 and distance["svd_8"] < 1e-5
PYTHON
