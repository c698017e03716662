#!/usr/bin/env bash
# trl 1.16.0, DPOTrainer, pairs whose answers begin alike and part after max_length.
#
# A good guess: rows that max_length would cut are counted or warned of, and at least never made equal.
# Seen: each answer loses its end, end token included, and the two become the same tokens. They are trained on like any
# others: loss ln 2, gradient 0, margin 0. A row that is cut before its answer is dropped under a progress bar; of these no word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" trl==1.16.0 transformers==5.23.0 torch==2.13.0 datasets==5.2.0
cd "$folder"
HF_HUB_OFFLINE=1 HF_HOME="$folder" OMP_NUM_THREADS=1 env/bin/python - <<'PYTHON' 2> log || { tail -20 log; exit 1; }
import datasets
import tokenizers
import torch
import transformers
import trl
from tokenizers import models, pre_tokenizers

words = ["[PAD]", "[EOS]", *(f"w{i}" for i in range(40))]
inner = tokenizers.Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[PAD]"))
inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = transformers.PreTrainedTokenizerFast(
    tokenizer_object=inner, unk_token="[PAD]", pad_token="[PAD]", eos_token="[EOS]"
)
torch.manual_seed(1)
sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=len(words), **sizes)).save_pretrained("model")
same = " w2 w3 w4 w5 w6 w7 w8 w9"
pair = {"prompt": "w1", "chosen": f"{same} w20 w21", "rejected": f"{same} w30 w31"}
for max_length in (64, 8):
    arguments = trl.DPOConfig(
        output_dir="out", max_length=max_length, max_steps=1, per_device_train_batch_size=2, logging_steps=1, bf16=False,
        use_cpu=True, report_to="none", save_strategy="no", learning_rate=1e-3, gradient_checkpointing=False, disable_tqdm=True,
    )
    trainer = trl.DPOTrainer("model", args=arguments, train_dataset=datasets.Dataset.from_list([pair] * 2),
                             processing_class=tokenizer)
    batch = trainer.data_collator([trainer.train_dataset[0]])
    trainer.train()
    log = trainer.state.log_history[0]
    print("trl", trl.__version__, "max_length", max_length, "loss", round(float(log["loss"]), 4),
          "gradient", round(float(log["grad_norm"]), 4), "\n", tokenizer.batch_decode(batch["input_ids"]))
    chosen, rejected = batch["input_ids"].tolist()
    assert (chosen == rejected) == (max_length == 8)
    assert (float(log["grad_norm"]) < 1e-6) == (max_length == 8)
PYTHON
