#!/usr/bin/env bash
# rouge-score 0.1.2 (Google's; the `evaluate` library's `rouge` calls it), texts in Russian or Chinese.
#
# A good guess: identical texts score 1, and texts with different words less.
# Seen: words are runs of a-z and 0-9, and anything else is dropped before the comparison. Identical texts in Russian or
# Chinese score 0.0, and texts that differ only in such words score 1.0. `café` is `caf`. Nothing is said.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" rouge-score==0.1.2
"$folder/env/bin/python" - <<'PYTHON'
from rouge_score.rouge_scorer import RougeScorer

scorer = RougeScorer(["rougeL"])
pairs = [
    ("Заказ придёт завтра", "Заказ придёт завтра"),
    ("订单明天到", "订单明天到"),
    ("Order 7 is отправлен", "Order 7 is потерян"),
    ("the café", "the caf"),
]
scores = [scorer.score(*pair)["rougeL"].fmeasure for pair in pairs]
for pair, score in zip(pairs, scores):
    print(f"{score:.1f}  {pair[0]!r} and {pair[1]!r}")
assert scores == [0.0, 0.0, 1.0, 1.0], "words of other scripts count now"
PYTHON
