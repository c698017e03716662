#!/usr/bin/env bash
# peft 0.21.2, LoRA on the embedding of a model whose output matrix is tied to it, with ensure_weight_tying=True, the
# setting that the warning about tied weights points to.
#
# A good guess: the merged model answers as the model with its adapter does.
# Seen: embedding and output matrix are one tensor, and merge_and_unload() adds the update for each of them: the merged
# weight is W + 2 BA. The adapter alone, loaded beside its base, is right; what is merged and shipped is another model.
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
model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes, tie_word_embeddings=True)).eval()
before = model.model.embed_tokens.weight.detach().clone()
config = peft.LoraConfig(
    task_type="CAUSAL_LM", r=4, target_modules=["embed_tokens"], init_lora_weights=False, ensure_weight_tying=True
)
model = peft.get_peft_model(model, config).eval()
tokens = torch.arange(10)[None]
with torch.no_grad():
    update = model.base_model.model.model.embed_tokens.get_delta_weight("default")
    adapted = model(tokens).logits
    merged = model.merge_and_unload().eval()
    added = merged.model.embed_tokens.weight - before
    answers = merged(tokens).logits
factor = ((added * update).sum() / (update * update).sum()).item()
print("peft", peft.__version__, "still one tensor:", merged.lm_head.weight is merged.model.embed_tokens.weight)
print(f"merged weight is W + {factor:.3f} BA; largest logit {adapted.abs().max():.1f} with the adapter, "
      f"off by {(answers - adapted).abs().max():.1f} once merged")
assert abs(factor - 2) < 1e-4
PYTHON
