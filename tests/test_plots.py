"""The tables that `dvc plots` draws."""

import csv
import json
from pathlib import Path

from stages import plots
from tests.conftest import Project


def test_every_logged_loss_is_a_point_of_its_run_and_rows() -> None:
    history = [{"step": 5, "loss": 2.5}, {"step": 10, "eval_loss": 1.5}, {"step": 10, "grad_norm": 0.1}]

    assert plots.losses({"base": {"history": []}, "sft": {"history": history}}) == [
        ("sft", 5, "train", 2.5),
        ("sft", 10, "val", 1.5),
    ]


def test_tables_hold_what_the_build_measured(built: Project) -> None:
    def table(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(built.read(f"reports/plots/{name}.csv").splitlines()))

    logs = {run: built.json(f"reports/train/{run}.json")["history"] for run in ("base", "sft", "dpo")}
    logged = sum(name in entry for history in logs.values() for entry in history for name in ("loss", "eval_loss"))
    chats = [json.loads(line) for line in built.read("data/splits/test/chat.jsonl").splitlines()]
    metrics = built.json("reports/metrics.json")["dpo"]

    assert len(table("loss")) == logged
    assert {row["run"] for row in table("loss")} == {"base", "sft", "dpo"}
    assert len(table("confusion")) == len(chats)
    right = sum(row["actual"] == row["predicted"] for row in table("confusion"))
    assert right / len(chats) == metrics["label_accuracy"]
    assert [row["file"] for row in table("quality")] == ["dpo", "Q8_0"]
    assert float(table("quality")[0]["exact_match"]) == metrics["exact_match"]


def test_dvc_draws_every_table(built: Project, tmp_path: Path) -> None:
    code, output = built.run("dvc", "plots", "show", "--json", "-o", str(tmp_path))
    assert code == 0, output
    drawn = json.loads(output[output.index("{") :])
    assert not drawn.get("errors"), drawn
    assert set(drawn["data"]) == {f"reports/plots/{name}.csv" for name in ("loss", "confusion", "quality")}
    assert all(plot["content"]["data"]["values"] for plots in drawn["data"].values() for plot in plots)
