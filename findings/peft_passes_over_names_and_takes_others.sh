#!/usr/bin/env bash
# peft 0.21.2, LoRA with target_modules=["q_proj", "kproj"] (misspelt) and modules_to_save=["norm"].
#
# A good guess: the misspelt name is an error, as it is where none of the names is there; and model.norm is trained.
# Seen: kproj is passed over. `modules_to_save` takes every module whose name ends in "norm": all norms of all layers are
# trained whole, and saved with the adapter.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" peft==0.21.2 transformers==5.23.0 torch==2.13.0
cd "$folder"
env/bin/python - <<'PYTHON' 2> log || { tail -20 log; exit 1; }
import peft
import transformers

sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 64}
model = transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**sizes, num_key_value_heads=2, head_dim=16))
config = peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj", "kproj"], modules_to_save=["norm"])
model = peft.get_peft_model(model, config)
trained = [name.removeprefix("base_model.model.") for name, w in model.named_parameters() if w.requires_grad]
print("peft", peft.__version__, "trains")
print(*trained, sep="\n")
assert not any("k_proj.lora" in name for name in trained)
assert sum("layernorm" in name for name in trained) == 2 and any(name.startswith("model.norm") for name in trained)
PYTHON
