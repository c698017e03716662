#!/usr/bin/env bash
# trl 1.16.0 and peft 0.21.2, DPOTrainer with a LoraConfig that starts by PiSSA or OLoRA.
#
# A good guess: before the first step the model is its own reference, so that the loss is ln 2 and every margin 0.
# Seen: so it is with plain LoRA. PiSSA and OLoRA take their start out of the base; TRL turns the adapter off for the reference,
# which is then a base that lacks it. The loss is another one from the first step on, without a word.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" trl==1.16.0 transformers==5.23.0 torch==2.13.0 datasets==5.2.0 peft==0.21.2
cd "$folder"
HF_HUB_OFFLINE=1 HF_HOME="$folder" OMP_NUM_THREADS=1 env/bin/python - <<'PYTHON' 2> log || { tail -20 log; exit 1; }
import datasets
import peft
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
sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
config = transformers.LlamaConfig(vocab_size=len(words), initializer_range=0.5, **sizes)
pairs = [{"prompt": "w1", "chosen": " w2 w3 w4", "rejected": " w20 w21"}] * 2
print("trl", trl.__version__, "peft", peft.__version__)
for start in (True, "pissa", "olora"):
    torch.manual_seed(1)
    arguments = trl.DPOConfig(
        output_dir="out", max_steps=1, per_device_train_batch_size=2, logging_steps=1, bf16=False, use_cpu=True,
        report_to="none", save_strategy="no", learning_rate=1e-3, gradient_checkpointing=False, disable_tqdm=True,
    )
    trainer = trl.DPOTrainer(
        transformers.LlamaForCausalLM(config), args=arguments, train_dataset=datasets.Dataset.from_list(pairs),
        processing_class=tokenizer,
        peft_config=peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=start),
    )
    batch = trainer.data_collator([trainer.train_dataset[0]])
    with torch.no_grad():
        loss = trainer.compute_loss(trainer.model, batch).item()
    print("init_lora_weights", start, "loss before the first step", round(loss, 4), "(ln 2 is 0.6931)")
    assert (abs(loss - 0.693147) < 1e-3) == (start is True)
PYTHON
