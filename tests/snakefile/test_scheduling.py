"""Snakemake runs the stages that `dvc status` calls stale, all of them, in the order of the graph and side by side."""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from modelmake.dvc import graph
from tests.conftest import ROOT
from tests.snakefile.conftest import Diamond


def lock(project: Diamond) -> dict:
    return YAML(typ="safe", pure=True).load(project.read("dvc.lock"))


def test_the_snakefile_fits_a_page() -> None:
    lines = (ROOT / "Snakefile").read_text("utf-8").splitlines()

    assert len(lines) <= 40
    assert max(map(len, lines)) <= 120


@pytest.mark.slow
def test_stages_run_side_by_side_and_in_order_to_the_lock_of_dvc_repro(diamond: Diamond) -> None:
    diamond.snakemake("-j2")

    spans = diamond.spans()
    assert spans["first"][1] < min(spans["left"][0], spans["right"][0])
    assert max(spans["left"][0], spans["right"][0]) < min(spans["left"][1], spans["right"][1])
    assert max(spans["left"][1], spans["right"][1]) < spans["last"][0]
    by_snakemake = lock(diamond)
    (diamond.path / "dvc.lock").unlink()
    diamond.repro("-f")
    assert by_snakemake == lock(diamond)


@pytest.mark.slow
def test_a_clone_with_a_lock_and_no_outputs_is_built_to_that_lock(built_diamond: Diamond) -> None:
    recorded = lock(built_diamond)
    for name in ("first", "left", "right", "last"):
        (built_diamond.path / name).unlink()
    shutil.rmtree(built_diamond.path / ".dvc/cache")

    built_diamond.snakemake("-j2")

    assert "first" in built_diamond.ran()  # the others have its bytes, so DVC may take theirs from the cache
    assert [built_diamond.read(name) for name in ("first", "left", "right", "last")] == ["a"] * 4
    assert lock(built_diamond) == recorded


@pytest.mark.slow
def test_nothing_runs_if_nothing_is_stale(built_diamond: Diamond) -> None:
    output = built_diamond.snakemake("-j2")

    assert built_diamond.ran() == []
    assert "every stage is up to date" in output


def test_a_stage_whose_inputs_keep_their_bytes_is_never_scheduled(built_diamond: Diamond) -> None:
    built_diamond.write("in", "axx\n")

    output = built_diamond.snakemake("-j2")

    assert built_diamond.ran() == ["first"]
    assert "repro -s left" not in output and ": left" not in output


@pytest.mark.slow
def test_stages_that_write_the_same_bytes_make_none_stale(built_diamond: Diamond) -> None:
    built_diamond.edit("dvc.yaml", "sh step left 0 first", "sh step left 0 in first")
    built_diamond.edit("dvc.yaml", "sh step right 0", "sh step right 00")

    built_diamond.snakemake("-j1")

    assert sorted(built_diamond.ran()) == ["left", "right"]  # the same bytes again: not last


@pytest.mark.slow
def test_a_dry_run_names_the_stale_stages_and_runs_none(built_diamond: Diamond) -> None:
    built_diamond.write("in", "xyz\n")
    built_diamond.edit("dvc.yaml", "sh step right 0", "sh step right 00")

    output = built_diamond.snakemake("-n")

    jobs = {line.split(": ")[1] for line in output.splitlines() if line.startswith("Job ") and "stats" not in line}
    assert jobs == {"first", "right", "every stage is up to date"}
    assert built_diamond.ran() == []
    assert not (built_diamond.path / ".dvc/tmp/snakemake").exists()


def test_a_failing_stage_fails_the_build_with_its_own_message_and_other_stages_finish(built_diamond: Diamond) -> None:
    built_diamond.write("in", "xyz\n")
    built_diamond.edit("dvc.yaml", "sh step left 0 first", "echo left... is broken; exit 3")

    code, output = built_diamond.run("snakemake", "-j2")

    assert code == 1
    assert "\nleft... is broken\n" in output
    assert "failed to reproduce 'left'" in output
    assert "every stage is up to date" not in output
    assert built_diamond.ran() == ["first", "right"]
    assert sorted(graph.stale(built_diamond.path)) == ["last", "left"]


@pytest.mark.slow
def test_a_stage_that_makes_another_stale_fails_the_build(built_diamond: Diamond) -> None:
    built_diamond.edit("dvc.yaml", "sh step right 0 first", "sh step right 0 first; echo z >> in")

    code, output = built_diamond.run("snakemake", "-j2")

    assert code == 1
    assert "first: stale again: something was edited meanwhile; run snakemake again" in output


@pytest.mark.slow
def test_a_stage_that_is_always_changed_runs_once_a_build(built_diamond: Diamond) -> None:
    built_diamond.edit("dvc.yaml", "    outs: [left]\n", "    outs: [left]\n    always_changed: true\n")

    built_diamond.snakemake("-j2")

    assert built_diamond.ran() == ["left"]


@pytest.mark.slow
def test_data_under_dvc_add_is_recorded_as_dvc_repro_does(built_diamond: Diamond) -> None:
    assert built_diamond.run("dvc", "add", "in")[0] == 0
    built_diamond.write("in", "xyz\n")
    shutil.copytree(built_diamond.path, other := built_diamond.path.with_name("other"), symlinks=True)

    built_diamond.snakemake("-j2")
    Diamond(other).repro()

    for name in ("in.dvc", "dvc.lock"):
        assert built_diamond.read(name) == Diamond(other).read(name)


@pytest.mark.slow
def test_meta_reserves_gpus(diamond: Diamond) -> None:
    diamond.snakemake("-j2", "--resources", "gpu=1")

    spans = sorted(diamond.spans()[name] for name in ("left", "right"))
    assert spans[0][1] < spans[1][0]


@pytest.mark.slow
def test_meta_reserves_cores_and_memory(diamond: Diamond) -> None:
    diamond.edit("dvc.yaml", "mem_mb: 300,", "mem_mb: 300, cpus: 2,")
    diamond.snakemake("-j2")
    spans = sorted(diamond.spans()[name] for name in ("left", "right"))
    assert spans[0][1] < spans[1][0]

    diamond.write("steps", "")
    diamond.write("in", "xyz\n")
    diamond.edit("dvc.yaml", "mem_mb: 300, cpus: 2,", "mem_mb: 300,")
    diamond.snakemake("-j2", "--resources", "mem_mb=1100")  # 300 + 200 fit, with 1000 for first and last
    spans = diamond.spans()
    assert max(spans["left"][0], spans["right"][0]) < min(spans["left"][1], spans["right"][1])


@pytest.mark.slow
def test_the_build_after_a_killed_snakemake_succeeds(diamond: Diamond) -> None:
    process = diamond.start("snakemake", "-j2")
    while "left start" not in diamond.read("steps"):
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    diamond.write("steps", "")

    diamond.snakemake("-j2")

    assert sorted(diamond.ran()) == ["last", "left", "right"]
    diamond.snakemake("-j2")
    assert diamond.ran() == []


@pytest.mark.slow
def test_twelve_stages_at_once_are_all_in_the_lock(diamond: Diamond, tmp_path: Path) -> None:
    names = [f"s{n}" for n in range(12)]
    stage = "  {0}:\n    cmd: echo {0} > {0}\n    deps: [in]\n    outs: [{0}]\n"
    diamond.write("dvc.yaml", "stages:\n" + "".join(stage.format(name) for name in names))

    diamond.snakemake("-j12")

    assert sorted(lock(diamond)["stages"]) == sorted(names)
    assert diamond.run("dvc", "status", "-q")[0] == 0
