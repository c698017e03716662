"""Metrics agree with rouge-score and scikit-learn on the inputs of references.json, and these still say what it holds.

The inputs were drawn once at random: texts of common words, and labels of which some are rare or never given.
"""

import json
import subprocess

import numpy as np
import pytest

from stages.answers.reply import Reply
from stages.evaluating import metrics, scoring
from stages.evaluating.metrics import rouge_l
from stages.params.evaluation import Suite
from stages.reporting import answer_labels
from tests.conftest import ROOT
from tests.evaluating.made_up_answers import answered

REFERENCES = json.loads((ROOT / "tests/evaluating/metrics/references.json").read_text("utf-8"))
INPUTS, SAID = REFERENCES["inputs"], REFERENCES["said"]
SUITE = Suite(metrics=["rouge_l", "macro_f1"], label="intent", slots=[], answer_schema=None)


def labelled(labels: list[str]) -> list[str]:
    return [json.dumps({"intent": label}) for label in labels]


def test_rouge_l_is_that_of_rouge_score() -> None:
    ours = [rouge_l.score(Reply(expected), Reply(answer), SUITE)["rouge_l"][0] for expected, answer in INPUTS["texts"]]

    assert len(ours) > 100 and len(set(ours)) > 50
    assert ours == pytest.approx(SAID["rouge_l"], abs=1e-6)


def test_macro_f1_is_that_of_scikit_learn() -> None:
    for (expected, given), said in zip(INPUTS["labels"], SAID["macro_f1"], strict=True):
        scored = answered(labelled(expected), labelled(given), SUITE)
        assert float(metrics.value("macro_f1", scoring.statistics(scored)["macro_f1"].sum(axis=0))) == pytest.approx(
            said, rel=1e-12
        )


def test_the_confusion_of_labels_is_that_of_scikit_learn() -> None:
    for (expected, given), said in zip(INPUTS["labels"], SAID["confusion"], strict=True):
        names = sorted({*expected, *given})
        confusions = answer_labels.confusions(answered(labelled(expected), labelled(given), SUITE), "intent")

        found = np.zeros((len(names), len(names)), int)
        for wanted, said_instead, rows, _ in confusions:
            found[names.index(wanted), names.index(said_instead)] = rows
        assert (found == np.array(said) * (1 - np.eye(len(names), dtype=int))).all()


@pytest.mark.slow
def test_the_references_say_what_was_recorded() -> None:
    folder = ROOT / "envs/metric_references"
    command = ["uv", "run", "-q", "--locked", "--project", folder, "python", folder / "score.py"]
    run = subprocess.run(command, input=json.dumps(INPUTS), capture_output=True, text=True, check=True)

    assert json.loads(run.stdout) == SAID
