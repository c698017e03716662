#!/usr/bin/env bash
# peft 0.21.2: the same adapter, saved twice by the same script from the same list of target_modules.
#
# A good guess: adapter_config.json has the same bytes, as adapter_model.safetensors has.
# Seen: `target_modules` is held as a set, so its order in the file follows PYTHONHASHSEED, which differs from process to
# process. Whoever hashes the folder (a cache, a registry, a signature) sees another adapter after each training.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" peft==0.21.2 transformers==5.23.0 torch==2.13.0
cat > "$folder/save.py" <<'PYTHON'
import sys

import peft
import torch
import transformers

torch.manual_seed(1)
sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 64}
model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes))
names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=names)).save_pretrained(sys.argv[1])
PYTHON
for seed in 1 2; do
  PYTHONHASHSEED=$seed "$folder/env/bin/python" "$folder/save.py" "$folder/$seed" 2> "$folder/log" || { cat "$folder/log"; exit 1; }
  (cd "$folder/$seed" && sha256sum adapter_config.json adapter_model.safetensors | cut -c1-12,65-)
done
cmp "$folder/1/adapter_model.safetensors" "$folder/2/adapter_model.safetensors"
if cmp -s "$folder/1/adapter_config.json" "$folder/2/adapter_config.json"; then
  echo "adapter_config.json no longer depends on the hash seed"
  exit 1
fi
