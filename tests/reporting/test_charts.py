"""Charts are Vega-Lite that compiles; the library is one script, the same at every call."""

import pytest
import vl_convert

from stages.params.release import Parity
from stages.reporting import charts

HISTORY = [{"step": 10, "loss": 2.0}, {"step": 20, "loss": 0.5}, {"step": 20, "eval_loss": 0.75}]


def test_training_and_held_out_losses_are_in_one_table() -> None:
    assert charts.loss("sft", HISTORY)["data"]["values"] == [
        {"step": 10, "rows": "training", "loss": 2.0},
        {"step": 20, "rows": "training", "loss": 0.5},
        {"step": 20, "rows": "held-out", "loss": 0.75},
    ]


def test_rewards_stand_where_a_run_logs_no_loss() -> None:
    history = [{"step": 1, "reward": 0.5, "reward_std": 0.1}, {"step": 2, "eval_reward": 0.25}]

    assert charts.loss("grpo", history)["data"]["values"] == [
        {"step": 1, "rows": "training", "loss": 0.5},
        {"step": 2, "rows": "held-out", "loss": 0.25},
    ]


def test_the_axis_of_quality_contains_difference_and_bound() -> None:
    metric = {"model": 0.9, "file": 0.85, "difference": -0.05}
    allowed = Parity(max_difference=0.01, min_same_answers=None)

    spec = charts.quality("exact_match", [{"name": "Q4_0", "allowed": allowed, "metrics": {"exact_match": metric}}])

    assert spec["data"]["values"] == [{"name": "Q4_0", "allowed": 0.01, **metric}]
    assert vl_convert.vegalite_to_vega(spec)["marks"]
    assert spec["layer"][2]["encoding"]["x"]["scale"]["domain"] == pytest.approx([-0.06, 0.06])


@pytest.mark.parametrize(
    "history", [HISTORY, HISTORY[:1], HISTORY[2:], [{"step": 1, "loss": None}, *HISTORY], [{"step": 1, "reward": 0.5}]]
)
def test_curves_compile(history: list[dict]) -> None:
    assert vl_convert.vegalite_to_vega(charts.loss("sft", history))["marks"]


def test_the_library_does_not_close_its_script_tag_and_is_the_same_at_every_call() -> None:
    first, second = charts.library(), charts.library()

    assert first == second
    assert "vegaEmbed" in first
    assert "</script" not in first.lower() and "<!--" not in first


def test_builds_stand_in_one_chart_by_held_out_losses_only_where_each_has_a_line_of_them() -> None:
    line = [{"step": 1, "loss": 3.0}, {"step": 1, "eval_loss": 2.0}, {"step": 2, "eval_loss": 1.0}]

    def drawn(other: list) -> list[tuple[str, int, float]]:
        spec = charts.side_by_side("sft", {"v1": line, "v2": other}, ["v1", "v2"])
        return [(point["build"], point["step"], point["loss"]) for point in spec["data"]["values"]]

    assert drawn(line[1:]) == [(build, step, loss) for build in ("v1", "v2") for step, loss in ((1, 2.0), (2, 1.0))]
    assert drawn(line[:2]) == [("v1", 1, 3.0), ("v2", 1, 3.0)]


def test_each_of_five_builds_has_a_colour_and_dashes_of_its_own() -> None:
    names = [f"v{n}" for n in range(5)]
    spec = charts.side_by_side("sft", {name: [{"step": 1, "loss": 1.0}] for name in names}, names)
    encoding = spec["layer"][0]["encoding"]

    assert len(set(encoding["color"]["scale"]["range"])) == 5
    assert len({*map(tuple, encoding["strokeDash"]["scale"]["range"])}) == 5
