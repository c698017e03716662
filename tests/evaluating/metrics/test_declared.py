"""Direction, range and source of every metric."""

import importlib
import re
import typing

from stages.evaluating import metrics
from stages.params.evaluation import Suite, TextSuite
from tests.conftest import ROOT


def all_metrics() -> list[str]:
    """Names of every metric that params.yaml may name."""
    fields = (typing.get_type_hints(suite)["metrics"] for suite in (Suite, TextSuite))
    return [name for field in fields for name in typing.get_args(typing.get_args(field)[0])]


def test_every_module_of_a_metric_can_be_named_in_params() -> None:
    folder = ROOT / "stages/evaluating/metrics"

    assert sorted(all_metrics()) == sorted(path.stem for path in folder.glob("[a-z]*.py"))


def test_docs_have_direction_range_and_source_of_every_metric() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+?) \| .+ \| (.+?) \|$", (ROOT / "docs/metrics.md").read_text(), re.M)

    declared = {name: importlib.import_module(f"stages.evaluating.metrics.{name}").METRIC for name in all_metrics()}
    assert rows == [
        (name, m.better, f"{m.least:g} or more" if m.most is None else f"{m.least:g} to {m.most:g}", m.source)
        for name, m in declared.items()
    ]


def test_every_score_of_a_suite_is_declared_in_its_order() -> None:
    suite = Suite(["valid_json", "slot_f1", "schema"], label=None, slots=["a", "b"], answer_schema={})

    assert list(metrics.declared(suite)) == ["valid_json", "slot_f1.a", "slot_f1.b", "schema"]
    assert {m.better for m in metrics.declared(suite).values()} == {"higher"}
    assert metrics.declared(TextSuite(["bits_per_byte"]))["bits_per_byte"].better == "lower"
