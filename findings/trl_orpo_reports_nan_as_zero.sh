#!/usr/bin/env bash
# trl 1.16.0, ORPOTrainer on 8 pairs, of which one has a prompt that fills max_length.
#
# A good guess: that row is dropped or cut, as in other trainers; at worst its loss is told to be NaN.
# Seen: both of its answers are cut to nothing, and the mean over no token is NaN. So is the loss, the gradient and, after one
# step, every weight. The log says loss 0.0 (transformers leaves NaN losses out of the logged mean), and training ends well.
# A warning tells of "an empty completion", once. Also seen: where the chat template writes a new line after the end token,
# a second end token is added to every answer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" trl==1.16.0 transformers==5.23.0 torch==2.13.0 datasets==5.2.0 pandas
cd "$folder"
HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 TRL_EXPERIMENTAL_SILENCE=1 env/bin/python - <<'PYTHON' 2> log || { tail -20 log; exit 1; }
import datasets
import tokenizers
import torch
import transformers
import trl
from tokenizers import models, pre_tokenizers
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

words = ["<pad>", "<end>", "<user>", "<bot>", "\n", "ask", "yes", "no"]
inner = tokenizers.Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<pad>"))
inner.pre_tokenizer = pre_tokenizers.Split(" ", "removed")
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")
tokenizer.add_tokens(["\n"])
tokenizer.chat_template = (
    "{% for m in messages %}{% if m.role == 'user' %}<user> {{ m.content }} {% else %}<bot> {{ m.content }} <end>\n"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}<bot> {% endif %}"
)


def pair(n):
    return {
        "prompt": [{"role": "user", "content": " ".join(["ask"] * n)}],
        "chosen": [{"role": "assistant", "content": "yes"}], "rejected": [{"role": "assistant", "content": "no"}],
    }


def trained(rows):
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=8, **sizes))
    config = ORPOConfig(
        "out", max_length=16, num_train_epochs=1, per_device_train_batch_size=4, logging_steps=1, bf16=False,
        use_cpu=True, report_to="none", save_strategy="no", gradient_checkpointing=False, disable_tqdm=True,
    )
    trainer = ORPOTrainer(model, config, train_dataset=datasets.Dataset.from_list(rows), processing_class=tokenizer)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    nan = sum(bool(p.isnan().all()) for p in model.parameters())
    return trainer, losses, nan, len(list(model.parameters()))


print("trl", trl.__version__)
trainer, losses, nan, total = trained([pair(2)] * 8)
ids = trainer.train_dataset[0]["chosen_input_ids"]
print("short prompts: losses", losses, "- weights that are NaN:", nan, "of", total)
print("a chosen answer:", tokenizer.convert_ids_to_tokens(ids))
_, losses_long, nan_long, _ = trained([pair(2)] * 7 + [pair(30)])
print("one that fills max_length: losses", losses_long, "- weights that are NaN:", nan_long, "of", total)
assert nan == 0 and nan_long == total and 0.0 in losses_long and ids.count(1) == 2
PYTHON
