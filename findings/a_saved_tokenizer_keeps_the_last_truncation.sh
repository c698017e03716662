#!/usr/bin/env bash
# transformers 5.23.0 and tokenizers, a tokenizer that was called once with truncation and padding, then saved.
#
# A good guess: arguments of one call are no part of the tokenizer.
# Seen: they are written into tokenizer.json. transformers resets them on load, so its own tokens are right; the tokenizers
# library, which servers and converters read the file with, obeys them and cuts every text to the length of that last call.
# A tokenizer saved after training can so hand a runtime the trainer's max_length.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" transformers==5.23.0
cd "$folder"
env/bin/python - <<'PYTHON' 2> log || { cat log; exit 1; }
import tokenizers
import transformers
from tokenizers import models, pre_tokenizers

words = [f"w{i}" for i in range(20)]
text = " ".join(words)
inner = tokenizers.Tokenizer(models.WordLevel({"[PAD]": 0} | {word: i for i, word in enumerate(words, 1)}, unk_token="[PAD]"))
inner.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[PAD]", pad_token="[PAD]")


def tokens_after_saving(folder):
    tokenizer.save_pretrained(folder)
    reloaded = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    return len(tokenizers.Tokenizer.from_file(f"{folder}/tokenizer.json").encode(text).ids), len(reloaded(text)["input_ids"])


print("transformers", transformers.__version__, "tokenizers", tokenizers.__version__)
before = tokens_after_saving("before")
tokenizer(text, truncation=True, max_length=4, padding="max_length")
after = tokens_after_saving("after")
print("tokens of 20 words (tokenizers, transformers): saved before the call", before, "after it", after)
assert before == (20, 20) and after == (4, 20)
PYTHON
