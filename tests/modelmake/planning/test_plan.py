"""The command: its table, sums, JSON and exit code, and what it leaves alone."""

import json
import shutil
from argparse import Namespace
from contextlib import chdir
from pathlib import Path

import pytest

from modelmake.domain import Needs
from modelmake.errors import UserError
from modelmake.planning import plan, resources
from modelmake.planning.forecast import Status
from modelmake.running import state_dir
from tests import made_up_graph as graph
from tests.made_up_graph import Plan, edit


def command(root: Path, capsys: pytest.CaptureFixture[str], **needs: Needs) -> tuple[int, list[str]]:
    """(exit code, lines) of the command."""
    with chdir(root):
        code = plan.run(Namespace(json=False, domain=Namespace(needs=needs)))
    return code, capsys.readouterr().out.splitlines()


def test_nothing_edited_is_all_fresh(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(root, capsys) == (
        0,
        [
            "preflight   fresh            --",
            "clean       fresh            --",
            "split       fresh            --",
            "train@up    fresh            --",
            "train@down  fresh            --",
            "gather      fresh            --",
            "page        fresh            --",
            "7 fresh",
        ],
    )


def test_an_edit_is_printed_with_its_reasons_times_and_sums(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for stage, seconds in {"split": 3, "train@up": 3725.4, "train@down": 61}.items():
        graph.log(root, stage, seconds=seconds)
    graph.log(root, "split", seconds=900, outcome="failed")
    edit(root, "params.yaml", "rows: 3", "rows: 2")
    edit(root, "params.yaml", "flag: -n", "flag: -u")

    code, lines = command(root, capsys)

    assert code == 0
    assert lines[0].split()[:3] == ["preflight", "will", "run"]
    assert lines[1:] == [
        "clean       fresh            --",
        "split       will run       0:03  command -n 3 -> 2",
        "                                 parameter split.rows 3 -> 2",
        "train@up    will run    1:02:05  command -n -> -u",
        '                                 parameter train.up.flag "-n" -> "-u"',
        "train@down  may run        1:01  waits for split",
        "gather      may run          --  waits for train@up, train@down",
        "page        may run          --  waits for gather",
        lines[-1],
    ]
    assert lines[-1].startswith("3 will run (1:02:")  # preflight's own time is in it
    assert lines[-1].endswith(" last time), 3 may run (1:01 last time, 2 without a record here), 1 fresh")


def test_json_has_the_same_facts(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(root, "raw/rows.txt", "4 c", "7 c")
    graph.log(root, "clean", seconds=3, peak_mib=40)

    with chdir(root):
        assert plan.run(Namespace(json=True, domain=Namespace(needs={}))) == 0
    facts = json.loads(capsys.readouterr().out)

    assert facts["stages"][1] == {
        "stage": "clean", "status": "will run", "reasons": ["file raw/rows.txt"], "needs": [], "lacks": [],
        "seconds": 3, "peak_mib": 40, "output_bytes": len("5 a\n3 b\n4 c\n1 d\n") + len("6\n"),
    }  # fmt: skip
    assert facts["sums"]["will run"] == {"stages": 1, "seconds": 3, "without_record": 0, "output_bytes": 18}
    assert facts["sums"]["may run"]["stages"] == 5
    assert facts["lacks"] == []


def test_preflight_runs_elsewhere_and_gives_the_keys_of_now(root: Path) -> None:
    (root / "code/train.py").write_text("sort on")
    (root / "code/torch.py").write_text("2.13.0")

    planned = Plan(root)

    assert planned.statuses == {
        "preflight": Status.WILL_RUN, "clean": Status.WILL_RUN, "train@up": Status.WILL_RUN,
        "train@down": Status.WILL_RUN, "split": Status.MAY_RUN, "gather": Status.MAY_RUN, "page": Status.MAY_RUN,
    }  # fmt: skip
    assert planned.reasons["preflight"] == ["file code/torch.py", "file code/train.py"]
    assert planned.reasons["clean"] == ["package torch 2.12.0 -> 2.13.0"]
    assert planned.reasons["train@up"] == ["train.up.main", "package torch 2.12.0 -> 2.13.0"]


def test_what_preflight_refuses_is_printed_in_its_words(root: Path) -> None:
    (root / "code/clean.py").write_text("broken")

    with pytest.raises(UserError, match=r"^code/clean.py: broken: want what is whole$"):
        plan.plan(root)


def test_a_missing_section_is_an_error(root: Path) -> None:
    edit(root, "dvc.yaml", "params: [split.rows]", "params: [split.rows, split.columns]")

    with pytest.raises(UserError, match=r"^params.yaml: split.columns: missing: want this section$"):
        plan.plan(root)


def test_a_graph_that_dvc_refuses_is_an_error_in_its_words(root: Path) -> None:
    edit(root, "params.yaml", "  up: {flag: -n}", "  up: {}")

    with pytest.raises(UserError, match=r"Could not find 'item.flag'"):
        plan.plan(root)


def test_a_truncated_line_of_the_run_log_is_passed_over(root: Path) -> None:
    graph.log(root, "clean", seconds=3)
    with (state_dir.folder(root) / "runs.jsonl").open("a") as log:
        log.write('{"stage": "clean", "outcome": "done", "sec')

    assert {step.stage: step.seconds for step in plan.plan(root)}["clean"] == 3


def test_missing_data_fail_the_command(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph.add_data(root)
    shutil.rmtree(root / "raw")

    code, lines = command(root, capsys)

    assert code == 1
    assert [line.split() for line in lines if line.startswith("raw.dvc ")] == [
        ["raw.dvc", "cannot", "run", "--", "raw", "is", "missing"]
    ]
    assert graph.run(root, "dvc", "repro").returncode != 0


def test_too_small_a_machine_fails_the_command(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(root, "dvc.yaml", "meta: {mem_mb: 1, gpu: 0}", "meta: {mem_mb: 3000, gpu: 2}")
    assert command(root, capsys)[0] == 0, "nothing runs, so nothing is lacking"
    edit(root, "params.yaml", "rows: 3", "rows: 2")
    graph.log(root, "train@up", peak_mib=5000)
    for name, value in {"memory": 2 << 30, "gpus": 1}.items():
        monkeypatch.setattr(resources, name, lambda value=value: value)
    monkeypatch.setattr(resources, "disk", lambda *folders: 0)

    code, lines = command(root, capsys)

    assert code == 1
    assert [" ".join(line.split()) for line in lines if "lacks" in line] == [
        "lacks memory: took at most 5000 MiB; 2048 MiB are free",
        "lacks GPU: its meta wants 2; 1 are here",
        "lacks memory: its meta reserves 2861 MiB; 2048 MiB are free",
        "lacks GPU: its meta wants 2; 1 are here",
        "lacks disk: outputs of stages that will or may run took 0 MiB; 0 MiB are free",
    ]


def files(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """{path: (mode, time of change, content)} of all files but DVC's own scratch."""
    paths = (path for path in root.rglob("*") if path.is_file() and ".dvc/tmp" not in str(path))
    return {str(path): (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def test_a_plan_changes_nothing(root: Path) -> None:
    edit(root, "params.yaml", "rows: 3", "rows: 2")
    (root / "code/clean.py").write_text("drop more")
    (root / "page.txt").unlink()
    before = files(root)

    assert Status.WILL_RUN in Plan(root).statuses.values()

    assert files(root) == before


def test_what_the_domain_tells_of_a_stage_that_will_run_is_printed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command of a stage names the module that the domain knows."""
    edit(root, "params.yaml", "flag: -n", "flag: -u")

    def told(root: Path, item: str) -> tuple[list[str], list[str]]:
        return [f"needs 9 MiB for {item}"], ["memory: 3 MiB are free"]

    code, lines = command(root, capsys, sort=told)

    assert code == 1
    assert [line.split("  ")[-1].strip() for line in lines if "MiB" in line] == [
        "needs 9 MiB for up", "lacks memory: 3 MiB are free"
    ]  # fmt: skip
