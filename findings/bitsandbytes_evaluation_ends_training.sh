#!/usr/bin/env bash
# bitsandbytes 0.50.2, QLoRA on a CPU with AVX512-BF16: an evaluation between two steps of training.
#
# A good guess: `model.eval()` and a forward without gradients leave no trace, as in any other PyTorch module.
# Seen: the first forward in eval mode repacks each 4-bit weight in place, and it stays so after `model.train()`. No
# gradient passes through these layers any more: adapters of o_proj and down_proj still learn, those of q, k, v, gate and
# up_proj do not. Training goes on; PyTorch warns once that a kernel "may lead to silently incorrect behavior". On other
# processors nothing is repacked: the same script trains another adapter there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! grep -q avx512_bf16 /proc/cpuinfo; then
  echo "this processor has no AVX512-BF16: nothing to see"
  exit 0
fi
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" bitsandbytes==0.50.2 peft==0.21.2 transformers==5.23.0 torch==2.13.0
cd "$folder"
HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 env/bin/python - <<'PYTHON' 2> log || { tail -20 log; exit 1; }
import bitsandbytes
import peft
import torch
import transformers

torch.manual_seed(1)
sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=128, **sizes)).save_pretrained("model")
config = transformers.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
ids = torch.arange(60).reshape(2, 30)


def gradients(evaluate_first):
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_pretrained("model", quantization_config=config, device_map="cpu")
    model = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear"))
    if evaluate_first:
        model.eval()
        with torch.no_grad():
            model(ids)
    model.train()
    model(input_ids=ids, labels=ids).loss.backward()
    layers = {name: p.grad for name, p in model.named_parameters() if "lora_B" in name}
    return {name: 0.0 if grad is None else float(grad.abs().max()) for name, grad in layers.items()}


straight, evaluated = gradients(False), gradients(True)
print("bitsandbytes", bitsandbytes.__version__)
for name in straight:
    print(f"{name[23:-22]:>24}  largest gradient {straight[name]:.2e}, after an evaluation {evaluated[name]:.2e}")
zero = [name for name in straight if straight[name] and not evaluated[name]]
print(len(zero), "of", len(straight), "layers get no gradient any more")
assert zero
PYTHON
