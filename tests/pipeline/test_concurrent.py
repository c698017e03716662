"""Two builds in one clone: each waits or names the process that holds the lock, and no finished work is lost."""

import fcntl
import json
import re
import time

from tests.conftest import Project, ran

CLEAN = ("max_chars: 2000", "max_chars: 1990")


def outcomes(project: Project, stage: str) -> list[str]:
    """How each run of a stage ended, by the run log."""
    runs = map(json.loads, project.read(".dvc/cache/modelmake/runs.jsonl").splitlines())
    return [run["outcome"] for run in runs if run["stage"] == stage]


def test_of_two_builds_at_once_each_ends_well_or_names_what_holds_it_and_the_lock_is_whole(project: Project) -> None:
    project.edit("params.yaml", *CLEAN)

    builds = [project.start("dvc", "repro", "dedup") for _ in range(2)]
    printed = [build.communicate(timeout=300)[0] for build in builds]

    for build, output in zip(builds, printed, strict=True):
        assert build.returncode == 0 or re.search(r"is busy|process \d+ runs it in this clone|acquire lock", output), (
            output
        )
    assert {build.returncode for build in builds} != {1}
    project.repro("dedup")
    assert ran(project.repro("dedup")) == []
    assert project.run("dvc", "status", "dedup")[1].strip() == "Data and pipelines are up to date."


def test_a_stage_that_finished_while_another_process_had_dvcs_lock_is_taken_by_the_next_build(project: Project) -> None:
    project.edit("params.yaml", *CLEAN)
    build = project.start("dvc", "repro", "clean")
    sandbox = project.path / ".dvc/tmp/modelmake/clean"
    while build.poll() is None and not sandbox.exists():
        time.sleep(0.01)

    with (project.path / ".dvc/tmp/lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # dvc releases it while the stage runs
        output, _ = build.communicate(timeout=120)

    assert build.returncode != 0 and "Unable to acquire lock" in output
    assert outcomes(project, "clean")[-1] == "done"
    assert "clean" in ran(project.repro("clean"))
    assert outcomes(project, "clean")[-1] == "taken"
    assert ran(project.repro("clean")) == []
