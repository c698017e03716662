#!/usr/bin/env bash
# bert-score 0.3.13 with transformers 5.23.0: texts that are longer than what the model reads.
#
# A good guess: texts that differ score below 1, or somebody says that an end was not read.
# Seen: each text is cut at the tokenizer's model_max_length, without a word. Two texts that differ only after that score
# 1.0, as equal ones do. With BERT that is 510 tokens, about a page. A tiny random model shows it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" bert-score==0.3.13 transformers==5.23.0 torch==2.13.0
cat > "$folder/score.py" <<'PYTHON'
import sys

import torch
from bert_score import score
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

folder = sys.argv[1]
words = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "the", "order", "is", "paid", "not", "late"]
tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
tokenizer.pre_tokenizer = Whitespace()
tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
PreTrainedTokenizerFast(
    tokenizer_object=tokenizer, model_max_length=16, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
    unk_token="[UNK]",
).save_pretrained(folder)
torch.manual_seed(1)
BertModel(
    BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
               max_position_embeddings=16)
).save_pretrained(folder)
start = " ".join(["the order is late"] * 4)
pairs = {"the same": ("paid", "paid"), "another word": ("paid", "not"), "other ends": (f"{start} paid", f"{start} not")}
scores = {}
for what, (answer, expected) in pairs.items():
    scores[what] = score([answer], [expected], model_type=folder, num_layers=2)[2].item()
    print(f"{scores[what]:.4f}  {what}")
assert scores["another word"] < 0.999 and abs(scores["other ends"] - 1) < 1e-5, "the ends are read now"
PYTHON
cd "$folder"
env/bin/python score.py "$folder/model" 2> log || { cat log; exit 1; }
if grep -iqE "trunc|longer|too long" log; then cat log; echo "it says something now"; exit 1; fi
