"""A step has dropout only where its method applies it: preflight refuses one that nothing would read."""

from collections import Counter
from typing import Any

import pytest

from modelmake import params
from stages.proposing import proposal
from stages.proposing.lengths import Lengths
from tests.conftest import ROOT

BASE = proposal.Base({"kind": "folder"}, "named", 512, True)
LENGTHS = Lengths(**dict.fromkeys(Lengths._fields, 64) | {"mean_tokens": {"chat": 20.0, "pair": 20.0, "judged": 20.0}})
STEPS = params.load(ROOT / "params.yaml")["train"]


def proposed(named: bool, steps: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """{step: (dropout, reason)} for rows of three kinds and a base that is named."""
    kinds = ["chat", "pair", "judged"]
    weights = {"desirable_weight": 1.0, "undesirable_weight": 1.0}
    below = proposal.Below(named, steps, weights, 1000, 0.1)
    counts = Counter({("train", kind): 60 for kind in kinds})
    decisions = {d.where: d for d in proposal._train(kinds, counts, BASE, LENGTHS, below)}
    found = {name: d for name in ("sft", "dpo", "kto") if (d := decisions.get(f"train.{name}.weights"))}
    return {name: (decision.value["lora_dropout"], decision.reason) for name, decision in found.items()}


@pytest.mark.parametrize("named", [False, True])
def test_only_methods_that_apply_dropout_have_it(named: bool) -> None:
    """Without a recipe below, and with one whose sft has dropout."""
    lora = {**proposal.LORA, "lora_dropout": 0.1}
    steps = {"sft": {**STEPS["sft"], "weights": lora}} if named else STEPS

    found = proposed(named, steps)

    assert found.pop("dpo") == (0.0, "dpo trains without dropout")
    assert found.pop("kto") == (0.0, "kto trains without dropout")
    assert named or found == {"sft": (0.05, "")}
    assert proposal.LORA["lora_dropout"] == 0.05
