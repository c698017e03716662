#!/usr/bin/env bash
# trl 1.16.0, peft 0.21.2, bitsandbytes 0.50.2: QLoRA in float32, resumed from a checkpoint of its own.
#
# A good guess: the adapter is of one dtype all along, and a training that was resumed ends with the weights of one that
# was not, as it does without 4 bits.
# Seen: SFTTrainer rounds the adapter beside a base in 4 bits to bfloat16, though neither the model nor the config asks
# for bfloat16. Resuming loads it as float32, so that it is trained in another dtype from then on, to other weights.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" trl==1.16.0 transformers==5.23.0 peft==0.21.2 torch==2.13.0 \
  datasets==5.2.0 bitsandbytes==0.50.2
cat > "$folder/resume.py" <<'PYTHON'
import sys

import datasets
import peft
import tokenizers
import torch
import transformers
import trl

folder = sys.argv[1]
letters = {"<end>": 0, **{letter: number for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz ", 1)}}
by_letter = tokenizers.Tokenizer(tokenizers.models.WordLevel(letters))
by_letter.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=by_letter, eos_token="<end>", pad_token="<end>")
torch.manual_seed(1)
sizes = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 64}
transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes)).save_pretrained(f"{folder}/model")
rows = datasets.Dataset.from_dict({"text": ["a few words to train on"] * 8})


def trainer(in_4bit, output):
    quantized = {"quantization_config": transformers.BitsAndBytesConfig(load_in_4bit=True)} if in_4bit else {}
    model = transformers.AutoModelForCausalLM.from_pretrained(f"{folder}/model", dtype=torch.float32, **quantized)
    config = trl.SFTConfig(
        output_dir=output, max_steps=4, save_steps=2, per_device_train_batch_size=2, bf16=False, use_cpu=True,
        gradient_checkpointing=False, report_to="none",
    )
    lora = peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules="all-linear")
    return trl.SFTTrainer(
        model=model, args=config, train_dataset=rows, processing_class=tokenizer, peft_config=lora
    )


def trained(run):
    weights = {name: weight.detach() for name, weight in run.model.named_parameters() if weight.requires_grad}
    return weights, {str(weight.dtype) for weight in weights.values()}


for in_4bit in (False, True):
    output = f"{folder}/{in_4bit}"
    whole = trainer(in_4bit, output)
    whole.train()
    resumed = trainer(in_4bit, output)
    resumed.train(resume_from_checkpoint=f"{output}/checkpoint-2")
    (weights, dtypes), (again, dtypes_again) = trained(whole), trained(resumed)
    same = all(torch.equal(weights[name].float(), again[name].float()) for name in weights)
    print(in_4bit, *dtypes, *dtypes_again, same)
PYTHON
cd "$folder"
env/bin/python resume.py "$folder" > out 2> log || { tail -3 log; exit 1; }
found=$(grep -E "^(True|False) " out)
echo "$found"
wanted=$'False torch.float32 torch.float32 True\nTrue torch.bfloat16 torch.float32 False'
if [ "$found" != "$wanted" ]; then
  echo "resumed QLoRA is trained as it began"
  exit 1
fi
