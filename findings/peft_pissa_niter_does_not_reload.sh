#!/usr/bin/env bash
# peft 0.21.2, init_lora_weights="pissa_niter_4", PiSSA's fast start: saved, and loaded again on the same base.
#
# A good guess: it computes what it computed, as an adapter with init_lora_weights="pissa" does.
# Seen: both take their start out of the base, and PEFT takes it out again when it loads the adapter. The fast start is
# random: another part is taken out, and the model is another one. Nothing says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" peft==0.21.2 transformers==5.23.0 torch==2.13.0
cd "$folder"
HF_HUB_OFFLINE=1 env/bin/python - <<'PYTHON' 2> log || { tail -20 log; exit 1; }
import peft
import torch
import transformers

sizes = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 64}


def base():
    torch.manual_seed(1)
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes, initializer_range=0.3)).eval()


tokens = torch.arange(10)[None]
print("peft", peft.__version__)
distance = {}
for start in ("pissa", "pissa_niter_4"):
    config = peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "o_proj"], init_lora_weights=start)
    model = peft.get_peft_model(base(), config).eval()
    model.save_pretrained(start)
    with torch.no_grad():
        saved = model(tokens).logits
        network = base()
        torch.manual_seed(2)
        loaded = peft.PeftModel.from_pretrained(network, start).eval()(tokens).logits
    distance[start] = (loaded - saved).abs().max().item()
    print(f"{start}: logits up to {saved.abs().max():.1f}, off by {distance[start]:.5f} once loaded")
assert distance["pissa"] < 1e-4 and distance["pissa_niter_4"] > 0.01
PYTHON
