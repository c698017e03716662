#!/usr/bin/env bash
# transformers 5.23.0, accelerate 1.15.0, torch 2.13.0: a Trainer under `torchrun --nproc_per_node 2` on CPUs.
#
# A good guess: fsdp=True shards the model, or is refused; without use_cpu two processes on a machine without a GPU train
# one model together.
# Seen: with fsdp=True and version 2 the model is a DistributedDataParallel, whole in each process, without a word.
# Without use_cpu each process trains alone, on all rows, as if it were the only one, into the same folder.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export CUDA_VISIBLE_DEVICES=
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" transformers==5.23.0 accelerate==1.15.0 torch==2.13.0
cd "$folder"
cat > train.py <<'PYTHON'
import sys

import torch
import transformers

on_cpu, fsdp = "use_cpu" in sys.argv, "fsdp" in sys.argv
sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 16}
rows = [{"input_ids": torch.tensor([n, n + 1]), "labels": torch.tensor([n, n + 1])} for n in range(8)]
arguments = transformers.TrainingArguments(
    "out", use_cpu=on_cpu, fsdp=fsdp or None, fsdp_config={"version": 2} if fsdp else None, num_train_epochs=1,
    per_device_train_batch_size=2, save_strategy="no", report_to="none", disable_tqdm=True,
)
model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes))
trainer = transformers.Trainer(model, arguments, train_dataset=rows)
trainer.train()
kind = type(trainer.model_wrapped).__name__
with open(f"seen{sys.argv[1]}", "a") as file:
    file.write(f"{arguments.world_size} processes, {trainer.state.global_step} steps each, {kind}\n")
PYTHON
train() {
  env/bin/torchrun --standalone --nproc_per_node 2 train.py "$@" > log 2>&1 || { tail -20 log; exit 1; }
  echo "${*:2}: $(sort -u "seen$1")"
}
train 1 use_cpu fsdp
train 2 no flag
[ "$(sort -u seen1)" = "2 processes, 2 steps each, DistributedDataParallel" ] || { echo "FSDP2 is not DDP now"; exit 1; }
[ "$(sort -u seen2)" = "1 processes, 4 steps each, LlamaForCausalLM" ] || { echo "they train together now"; exit 1; }
