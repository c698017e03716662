#!/usr/bin/env bash
# trl 1.16.0, GRPOTrainer with generation by transformers 5.23.0.
#
# A good guess: answers are sampled as GRPOConfig says, so that each is as likely as the loss holds it to be.
# Seen: what the config leaves at None is taken from the model's own generation_config.json. A `min_p` or
# `suppress_tokens` there decides which answers are sampled, while the loss takes their
# likelihood without it. Here two tokens are never sampled once the folder suppresses them, though the loss still holds
# them to be as likely as the others.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" trl==1.16.0 transformers==5.23.0 torch==2.13.0 datasets==5.2.0
cd "$folder"
env/bin/python - <<'PYTHON' 2> log || { tail -20 log; exit 1; }
import datasets
import tokenizers
import transformers
import trl

words = {word: number for number, word in enumerate(["<pad>", "<end>", *"abcdefgh"])}
model = tokenizers.models.WordLevel(words, unk_token="<pad>")
tokenizer = transformers.PreTrainedTokenizerFast(
    tokenizer_object=tokenizers.Tokenizer(model), pad_token="<pad>", eos_token="<end>"
)
sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 10}
transformers.set_seed(1)
network = transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes, eos_token_id=1, bos_token_id=None))
seen = []


def reward(completion_ids, **_):
    seen.extend(token for answer in completion_ids for token in answer)
    return [0.0] * len(completion_ids)


def tokens_of(**settings):
    seen.clear()
    network.generation_config.update(**settings)
    config = trl.GRPOConfig(
        "out", use_cpu=True, bf16=False, report_to="none", per_device_train_batch_size=8, num_generations=8, max_steps=2,
        max_completion_length=16, save_strategy="no", gradient_checkpointing=False, learning_rate=1e-9,
    )
    rows = datasets.Dataset.from_list([{"prompt": "a"}] * 4)
    trl.GRPOTrainer(network, reward, args=config, train_dataset=rows, processing_class=tokenizer).train()
    return {token: seen.count(token) for token in (2, 3)}


free, suppressed = tokens_of(), tokens_of(suppress_tokens=[2, 3])
print("trl", trl.__version__, "transformers", transformers.__version__)
print(f"tokens 2 and 3 in {2 * 8} answers: {free}; with suppress_tokens in the folder's generation config: {suppressed}")
assert min(free.values()) > 0 and set(suppressed.values()) == {0}
PYTHON
