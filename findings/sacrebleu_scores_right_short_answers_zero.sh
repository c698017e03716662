#!/usr/bin/env bash
# sacrebleu 2.6.0, corpus_bleu of answers that are right: short ones, and some with a list of references for each answer.
#
# A good guess: answers equal to their references score 100; with references[i] the references of answer i, all answers count.
# Seen: where no answer has four tokens (labels, names, dates) a corpus that is right throughout scores 0.0: there are no
# 4-grams, and smoothing does not apply to what is not there. And references are wanted the other way round, one list per
# position, as long as the answers: given a list for each answer, the first answer alone is scored and the rest dropped, as
# the lists' lengths differ. Nothing is said in either case.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" sacrebleu==2.6.0
"$folder/env/bin/python" - <<'PYTHON' 2> "$folder/log"
import sacrebleu

answers = ["next Monday", "Berlin", "two days"]
short = sacrebleu.corpus_bleu(answers, [answers]).score
print(f"three right answers of one and two words: {short}")

answers = ["the order comes next monday", "nothing of this is right here"]
for_each = [["the order comes next monday"], ["your parcel was sent from Berlin"]]
by_answer = sacrebleu.corpus_bleu(answers, for_each).score
by_position = sacrebleu.corpus_bleu(answers, [[r[0] for r in for_each]]).score
print(f"one right and one wrong answer, a list for each answer: {by_answer:.1f}; a list per position: {by_position:.1f}")
assert short == 0.0 and round(by_answer, 6) == 100 and by_position < 60, "sacrebleu scores otherwise"
PYTHON
test ! -s "$folder/log" || { echo "it says something now:"; cat "$folder/log"; exit 1; }
