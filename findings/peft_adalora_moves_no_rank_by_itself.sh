#!/usr/bin/env bash
# peft 0.21.2, AdaLoRA trained by transformers' Trainer for 12 steps, target_r=2 and init_r=4.
#
# A good guess: ranks move, as the config's budget says, and the logged loss does not depend on how a batch is cut.
# Seen: nobody calls update_and_allocate, so the saved adapter has rank 4 everywhere, and no rank_pattern. And the loss
# that keeps A and B orthogonal is added to each micro-batch: the same 4 rows, as 2 micro-batches of 2, have a larger one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" accelerate==1.15.0 peft==0.21.2 transformers==5.23.0 torch==2.13.0
cd "$folder"
HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 env/bin/python - <<'PYTHON' 2> log || { tail -20 log; exit 1; }
import peft
import torch
import transformers
from safetensors.torch import load_file

sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 64}
rows = [{"input_ids": list(range(n, n + 8)), "labels": list(range(n, n + 8))} for n in range(48)]
print("peft", peft.__version__)
losses = {}
for batch, accumulated in ((4, 1), (2, 2)):
    torch.manual_seed(1)
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes))
    config = peft.AdaLoraConfig(
        task_type="CAUSAL_LM", init_r=4, target_r=2, tinit=2, tfinal=2, total_step=12, target_modules=["q_proj", "o_proj"]
    )
    arguments = transformers.TrainingArguments(
        "work", per_device_train_batch_size=batch, gradient_accumulation_steps=accumulated, num_train_epochs=1,
        logging_steps=1, save_strategy="no", report_to="none", use_cpu=True, learning_rate=1e-3, disable_tqdm=True,
    )
    trainer = transformers.Trainer(peft.get_peft_model(model, config), arguments, train_dataset=rows)
    trainer.train()
    losses[accumulated] = float(trainer.state.log_history[0]["loss"])
    trainer.model.save_pretrained("adapter")
    ranks = {len(weight) for name, weight in load_file("adapter/adapter_model.safetensors").items() if "lora_A" in name}
    pattern = peft.PeftConfig.from_pretrained("adapter").rank_pattern
    print(f"{batch} rows at once, {accumulated} times: first loss {losses[accumulated]:.3f}; ranks {ranks}, {pattern=}")
    assert ranks == {4} and pattern is None
assert losses[2] - losses[1] > 0.3
PYTHON
