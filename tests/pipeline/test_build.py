"""What a whole build promises: accounting, bytes, lineage; and the default model itself."""

import itertools
import json
from collections import Counter

import pytest

from tests.conftest import Project, ran


def ids(project: Project, path: str) -> list[str]:
    return [json.loads(line)["id"] for line in project.read(path).splitlines()]


def test_every_data_stage_accounts_for_every_row(built: Project) -> None:
    reports = [built.json(f"reports/data/{stage}.json") for stage in ("ingest", "clean", "dedup", "split")]

    for report in reports:
        assert report["in"] == report["out"] + sum(report["dropped"].values())
    for before, after in itertools.pairwise(reports):
        assert before["out"] == after["in"]
    mix = built.json("reports/data/mix.json")
    assert mix["in"] == sum(reports[-1]["splits"]["train"].values()) == mix["out"] + sum(mix["dropped"].values())


def test_training_consumed_rows_of_its_split_in_a_recorded_order(built: Project) -> None:
    allowed = set(ids(built, "data/mixed/chat.jsonl"))
    batches = [json.loads(line) for line in built.read("reports/train/sft.consumed.jsonl").splitlines()]
    log = built.json("reports/train/sft.json")

    assert [batch["step"] for batch in batches] == list(range(1, log["steps"] + 1))
    consumed = Counter(i for batch in batches for i in batch["ids"])
    assert set(consumed) <= allowed
    assert max(consumed.values()) == 1, "a part of an epoch takes no row twice"


def test_no_output_knows_the_folder_that_it_was_built_in(built: Project) -> None:
    for folder in ("models", "reports", "data/splits", "keys"):
        for file in (built.path / folder).rglob("*"):
            if file.is_file():
                assert str(built.path).encode() not in file.read_bytes(), file


def test_artifacts_are_no_pickles(built: Project) -> None:
    suffixes = {file.suffix for file in (built.path / "models").rglob("*") if file.is_file()}

    assert suffixes <= {".json", ".safetensors", ".jinja", ".gguf"}


def test_every_stage_left_a_line_in_the_run_log(built: Project) -> None:
    lines = [json.loads(line) for line in built.read(".dvc/cache/modelmake/runs.jsonl").splitlines()]

    assert {line["stage"] for line in lines} == {*built_stages(built)} - {"preflight"}
    assert {line["outcome"] for line in lines} == {"done"}


def built_stages(project: Project) -> list[str]:
    _, output = project.run("dvc", "stage", "list", "--name-only")
    return output.split()


@pytest.mark.slow
def test_the_default_model_answers(default: Project) -> None:
    project = default
    metrics, parity = project.json("reports/metrics.json"), project.json("reports/parity/Q8_0.json")

    assert metrics.keys() == {"base", "sft", "dpo"}
    assert metrics["base"]["exact_match"] <= 0.05
    assert metrics["sft"]["exact_match"] >= 0.80
    assert metrics["sft"]["compact"] == 0.0, "sft answers with spaces, as its rows do"
    assert metrics["dpo"]["compact"] >= 0.90, "dpo prefers answers without spaces, as its pairs do"
    assert metrics["dpo"]["label_accuracy"] >= metrics["sft"]["label_accuracy"] - 0.02
    assert abs(parity["metrics"]["exact_match"]["difference"]) <= 0.01
    assert project.json("reports/gate.json")["verdict"] == "ALLOW"
    runs = [json.loads(line) for line in project.read(".dvc/cache/modelmake/runs.jsonl").splitlines()]
    assert max(run["peak_mib"] for run in runs) <= 4096
    assert ran(project.repro()) == []
