"""Preflight tells what stages cannot read, and what this machine lacks, before any stage runs."""

from importlib import metadata
from pathlib import Path

import pytest

from modelmake.dvc.graph import Stage
from modelmake.errors import UserError
from modelmake.planning import resources
from stages import preflight
from stages.evaluating.running_code import boundary
from stages.params.evaluation import Evaluate, Suite

ROOT = Path(__file__).parents[1]


def stages(gpu: int = 0) -> dict[str, Stage]:
    """Two stages: `ingest` reads a folder, `train` what ingest makes."""
    return {
        "ingest": Stage("ingest", "python -m stages.ingest", ("raw", "keys/ingest.json"), (), ("made",)),
        "train": Stage("train", "python -m stages.train", ("made/rows", "raw"), (), ("model",), meta={"gpu": gpu}),
    }


def test_links_in_inputs_are_told_once_each_but_not_those_in_what_stages_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("raw", "made/rows", "other"):
        Path(folder).mkdir(parents=True)
        Path(folder, "link").symlink_to(tmp_path / "other")

    assert preflight.input_problems(stages()) == [
        "ingest: raw/link: a link to a folder: DVC does not see the files in it; put them there"
    ]


def test_what_this_machine_lacks_is_noted_as_a_scheduler_may_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_STAGE", raising=False)
    monkeypatch.setattr(resources, "gpus", lambda: 1)

    assert preflight.machine_notes(stages(gpu=1)) == []
    assert preflight.machine_notes(stages(gpu=8)) == [
        "train reserves gpu = 8: this machine has 1; right if a scheduler finds another"
    ]


def test_a_build_on_a_machine_without_the_gpu_that_it_needs_ends_here_unless_a_scheduler_builds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resources, "gpus", lambda: 0)
    monkeypatch.setenv("DVC_STAGE", "preflight")

    with pytest.raises(UserError, match=r"^train reserves gpu = 8: this machine has 0: want one here, or machine.dev"):
        preflight.machine_notes(stages(gpu=8))
    monkeypatch.setenv(preflight.SCHEDULER, "snakemake")
    assert len(preflight.machine_notes(stages(gpu=8))) == 1


def test_packages_that_are_installed_in_other_versions_than_locked_are_noted() -> None:
    numpy = metadata.version("numpy")

    assert preflight.package_notes({"numpy": numpy, "not-here": "1.0"}) == []
    assert preflight.package_notes({"numpy": f"{numpy}.1"}) == [
        f"numpy {numpy}: not the version in uv.lock, which keys name: run `uv sync`"
    ]


def test_snakemake_says_that_it_schedules() -> None:
    assert f'{preflight.SCHEDULER}="' in (ROOT / "Snakefile").read_text()


def test_a_metric_that_this_machine_cannot_measure_is_told_before_anything_is_generated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suites = {name: Suite(["pass_at_1"], label=None, slots=[], answer_schema=None) for name in ("code", "other")}
    chapters = {"suites": suites, "train": {}, "evaluate": Evaluate(models=["base"], suites=["code"])}
    line = f"suites.code.metrics: pass_at_1: bwrap: not found: {boundary.WANT}"
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("DVC_STAGE", raising=False)
    boundary.lacking.cache_clear()

    assert preflight.measuring_notes(chapters) == [f"{line}; right if a scheduler finds another"]
    monkeypatch.setenv("DVC_STAGE", "preflight")
    with pytest.raises(UserError) as error:
        preflight.measuring_notes(chapters)
    assert str(error.value) == line
    monkeypatch.setenv(preflight.SCHEDULER, "snakemake")
    assert len(preflight.measuring_notes(chapters)) == 1
    boundary.lacking.cache_clear()
