"""`modelmake gate` exits 0, 1 or 2 by the verdict, and lets no stale build and no spent budget through."""

import argparse
import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from modelmake.errors import UserError
from stages.commands import cli, gate
from stages.commands.looks import Spent
from tests.commands.test_looks import PATH
from tests.commands.test_looks import gate as declared
from tests.conftest import ROOT
from tests.made_up_build import gate as shown
from tests.made_up_history import MadeUpProject

STAGE = """stages:
  compare:
    cmd: python -m stages.compare --gate reports/gate.json
    outs:
    - reports/gate.json:
        cache: false
"""


@pytest.fixture
def project(tmp_path: Path) -> MadeUpProject:
    project = MadeUpProject(tmp_path / "project")
    (project.root / "dvc.yaml").write_text(STAGE)
    (project.root / ".dvc").mkdir()
    (project.root / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    return project


def build(project: MadeUpProject, answers: str = "a", **changes: Any) -> dict[str, Any]:
    """Writes a gate.json, and a dvc.lock that records it; commits both."""
    content = declared(answers)
    content["gates"] = {"mine": shown() | changes}
    text = json.dumps(content).encode()
    (project.root / "reports").mkdir(exist_ok=True)
    (project.root / PATH).write_bytes(text)
    project.stage("compare", {}, {PATH: text})
    project.stages["compare"]["cmd"] = "python -m stages.compare --gate reports/gate.json"
    project.commit("a build")
    return content


def run(project: MadeUpProject, *arguments: str) -> tuple[int, str]:
    """(exit code, output) of `modelmake gate`."""
    return run_in(project.root, *arguments)


def run_in(root: Path, *arguments: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    gate.arguments(parser)
    output = io.StringIO()
    with contextlib.chdir(root), contextlib.redirect_stdout(output):
        return gate.run(parser.parse_args(arguments)), output.getvalue()


@pytest.mark.parametrize(("verdict", "code"), [("ALLOW", 0), ("REJECT", 1), ("INCONCLUSIVE", 2)])
def test_the_exit_code_is_the_verdict(project: MadeUpProject, verdict: str, code: int) -> None:
    build(project, verdict=verdict, why="because")

    found, output = run(project)
    assert found == code
    assert output.splitlines()[-1] == verdict
    assert ("mine: because" in output) == (code > 0)


def test_the_table_shows_what_led_to_each_verdict(project: MadeUpProject) -> None:
    build(project, verdict="INCONCLUSIVE", value=0.81, low=0.75, high=0.86, more_rows=1200)

    table = run(project)[1].splitlines()[:2]
    assert table[0].split("  ")[0] == "gate" and table[0].endswith("more rows")
    assert " ".join(table[1].split()) == "mine INCONCLUSIVE 0.8100 0.7500 to 0.8600 at least 0.8 0.0700 1,200"
    markdown = run(project, "--markdown")[1].splitlines()
    assert markdown[1] == "|---|---|---|---|---|---|---|"
    assert markdown[2] == "| mine | INCONCLUSIVE | 0.8100 | 0.7500 to 0.8600 | at least 0.8 | 0.0700 | 1,200 |"


@pytest.mark.parametrize(
    ("more", "cell"), [((0, 40), "40 marks"), ((1200, 300), "1,200, 300 marks"), ((None, 0), "never enough")]
)
def test_the_table_says_what_would_settle_a_gate_of_a_judge(
    project: MadeUpProject, more: tuple[int | None, int], cell: str
) -> None:
    build(project, verdict="INCONCLUSIVE", more_rows=more[0], more_marks=more[1])

    assert run(project)[1].splitlines()[1].endswith(f"  {cell}")


def test_programs_get_the_same_facts(project: MadeUpProject) -> None:
    content = build(project)

    report = json.loads(run(project, "--json")[1])
    assert (report["verdict"], report["gates"], report["unknown_looks"]) == ("ALLOW", content["gates"], 0)
    budget = {"looks": 1, "error": 0.0025, "budget": 0.05, "level": 0.0025, "shallow": False, "over": False}
    budget |= {"rows": 100, "compared": 32}
    assert report["suites"] == {"chat": budget}


def test_a_spent_budget_allows_nothing_and_asks_for_a_fresh_golden_set(project: MadeUpProject) -> None:
    for n in range(20):
        build(project, f"answers {n}")
    assert run(project)[0] == 0

    build(project, "answers 20")
    code, output = run(project)
    assert code == 2
    assert "mine: the error budget of chat is spent" in output and "make a fresh golden set" in output
    assert "chat: 21 looks at these rows spent 5.25 % of an error budget of 5 %" in output
    assert run(project, "--rev", "HEAD~1")[0] == 0, "the build before was within the budget"


@pytest.mark.parametrize(("rows", "told"), [(5500, True), (32, False)])
def test_rows_of_a_suite_whose_ids_are_not_compared_are_told(project: MadeUpProject, rows: int, told: bool) -> None:
    content = build(project)
    content["suites"]["chat"]["rows"] = rows
    text = json.dumps(content).encode()
    (project.root / PATH).write_bytes(text)
    project.stage("compare", {}, {PATH: text})
    project.stages["compare"]["cmd"] = "python -m stages.compare --gate reports/gate.json"
    project.commit("a larger suite")

    output = run(project)[1]
    line = "chat: whether an earlier look was at these rows is told by 32 of their 5,500 ids, a random sample; "
    assert (f"{line}the others are not compared" in output) == told


def test_a_spent_budget_hides_no_reject() -> None:
    spent = {"chat": Spent(21, 0.0525, 0.05, 0.0025)}

    report = gate.judged({"gates": {"mine": shown() | {"verdict": "REJECT"}}}, spent, "")
    assert report["verdict"] == "REJECT"


def test_gates_of_another_build_decide_nothing(project: MadeUpProject) -> None:
    build(project)
    (project.root / "dvc.yaml").write_text(STAGE.replace("--gate", "--other 1 --gate"))

    code, output = run(project)
    assert code == 2
    assert "these gates are of another build; run `dvc repro`" in output


def test_a_gate_file_that_was_edited_by_hand_decides_nothing(project: MadeUpProject) -> None:
    build(project, verdict="REJECT")
    text = (project.root / PATH).read_text().replace("REJECT", "ALLOW")
    (project.root / PATH).write_text(text)
    assert run(project)[0] == 2

    project.git("commit", "-qam", "an edit")
    with pytest.raises(UserError, match=r"--rev HEAD: reports/gate.json is not the one that dvc.lock records there"):
        run(project, "--rev", "HEAD")


def test_a_commit_has_its_own_verdict(project: MadeUpProject) -> None:
    build(project, verdict="REJECT")
    build(project, "b", verdict="ALLOW")

    assert (run(project)[0], run(project, "--rev", "HEAD~1")[0], run(project, "--rev", "main")[0]) == (0, 1, 0)
    with pytest.raises(UserError, match=r"^nowhere: no such revision: want a commit, branch, tag or experiment"):
        run(project, "--rev", "nowhere")


def test_a_commit_whose_lock_cannot_be_read_or_whose_graph_lost_the_gates_is_refused(project: MadeUpProject) -> None:
    build(project)
    lock = project.root / "dvc.lock"
    whole = lock.read_text()
    lock.write_text(f"<<<<<<< ours\n{whole}")
    project.git("commit", "-qam", "a merge")
    lock.write_text(whole)
    with pytest.raises(UserError, match=r"^HEAD: dvc.lock of commit \w+: not a valid dvc.lock: <<<<<<< ours: want one"):
        run(project, "--rev", "HEAD")

    (project.root / "keys").mkdir()
    (project.root / "keys/graph.json").write_text("{}")
    project.git("add", "-A")
    project.git("commit", "-qm", "no stage")
    with pytest.raises(UserError, match=r"^--rev HEAD: reports/gate.json is not the one that dvc.lock records there"):
        run(project, "--rev", "HEAD")


def test_what_is_missing_or_old_is_told(project: MadeUpProject) -> None:
    with pytest.raises(UserError, match=r"^reports/gate.json: no such file: want the gates of a build; run"):
        run(project)

    (project.root / "reports").mkdir()
    (project.root / PATH).write_text('{"verdict": "pass", "gates": {}}')
    with pytest.raises(UserError, match=r"^reports/gate.json: of an older version"):
        run(project)


def test_the_command_is_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stages.commands.cli", "gate", "--help"], capture_output=True, text=True, check=True
    )
    assert "--rev" in done.stdout and "--markdown" in done.stdout


def test_the_workflow_runs_commands_that_are_there_and_no_text_of_a_pull_request() -> None:
    workflow = YAML(typ="safe", pure=True).load((ROOT / "docs/gate.yml").read_text("utf-8"))
    (job,) = workflow["jobs"].values()
    scripts = "\n".join(step["run"] for step in job["steps"] if "run" in step)

    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert workflow["on"].keys() == {"pull_request"}, "with the rights of a pull request, and not of the repository"
    assert "${{" not in scripts, "what people write reaches a shell only as a variable"
    assert next(step for step in job["steps"] if "checkout" in step.get("uses", ""))["with"]["fetch-depth"] == 0
    (words,) = [line.split() for line in scripts.splitlines() if "modelmake" in line]
    assert words[:3] == ["uv", "run", "modelmake"] and words[3] in cli.COMMANDS
    parser = argparse.ArgumentParser()
    gate.arguments(parser)
    assert parser.parse_args(words[4 : words.index(">")]).markdown


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_workflow_ends_as_the_gates_say_after_the_table_was_shown(tmp_path: Path, code: int) -> None:
    """Its step, run by bash as GitHub does, with a `uv` that prints a table and exits like `modelmake gate`."""
    workflow = YAML(typ="safe", pure=True).load((ROOT / "docs/gate.yml").read_text("utf-8"))
    steps = {step.get("id", step.get("name")): step for step in workflow["jobs"]["gate"]["steps"]}
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\necho '| gate |'\nexit {code}\n")
    uv.chmod(0o755)
    files = {name: str(tmp_path / name) for name in ("RUNNER_TEMP", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    Path(files["RUNNER_TEMP"]).mkdir()
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", **files}

    subprocess.run(["bash", "-eo", "pipefail", "-c", steps["gate"]["run"]], env=env, check=True)
    assert Path(files["GITHUB_STEP_SUMMARY"]).read_text() == "| gate |\n"
    assert Path(files["GITHUB_OUTPUT"]).read_text() == f"code={code}\n"
    last = workflow["jobs"]["gate"]["steps"][-1]
    assert subprocess.run(["bash", "-c", last["run"]], env={"CODE": str(code), **env}, check=False).returncode == code


def test_a_clone_without_older_commits_allows_nothing(project: MadeUpProject, tmp_path: Path) -> None:
    for n in range(3):
        build(project, f"answers {n}")
    shallow, whole = tmp_path / "shallow", tmp_path / "whole"
    for folder, depth in ((shallow, ["--depth=1"]), (whole, [])):
        subprocess.run(["git", "clone", "-q", *depth, f"file://{project.root}", folder], check=True)
        (folder / ".dvc").mkdir()
        (folder / ".dvc/config").write_bytes((project.root / ".dvc/config").read_bytes())

    assert run_in(whole)[0] == 0
    code, output = run_in(shallow)
    assert code == 2
    assert "mine: this clone lacks older commits" in output and "chat: 1 look at these rows" in output
    subprocess.run(["git", "fetch", "-q", "--unshallow"], cwd=shallow, check=True)
    assert run_in(shallow)[0] == 0
