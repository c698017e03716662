"""What rouge-score and scikit-learn say of texts and labels; JSON on standard input and output.

{"texts": [[expected, answer]], "labels": [[[expected], [given]]]} →
{"rouge_l": [F of rougeL without stemming], "macro_f1": [macro F1], "kappa": [Cohen's kappa],
"confusion": [rows of the matrix, labels sorted]}
"""

import json
import sys

from rouge_score.rouge_scorer import RougeScorer
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score


def main() -> None:
    inputs = json.load(sys.stdin)
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    outputs = {
        "rouge_l": [scorer.score(*pair)["rougeL"].fmeasure for pair in inputs["texts"]],
        "macro_f1": [float(f1_score(*pair, average="macro")) for pair in inputs["labels"]],
        "kappa": [float(cohen_kappa_score(*pair)) for pair in inputs["labels"]],
        "confusion": [confusion_matrix(*pair).tolist() for pair in inputs["labels"]],
    }
    json.dump(outputs, sys.stdout)


if __name__ == "__main__":
    main()
