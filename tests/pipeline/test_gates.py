"""`modelmake gate` on a real build: looks are counted, a stale build decides nothing, and no output holds history."""

import re
import subprocess

from tests.conftest import Project, ran

COMMIT = ("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam", "A build")


def gate(project: Project, *arguments: str) -> tuple[int, str]:
    return project.run("python", "-m", "stages.commands.cli", "gate", *arguments)


def looks(output: str) -> int:
    return int(re.search(r"^chat: (\d+) looks? at these rows", output, re.MULTILINE)[1])


def test_a_build_is_judged_by_its_gates_and_spends_the_budget_of_its_rows(project: Project) -> None:
    subprocess.run(["git", *COMMIT], cwd=project.path, check=True)
    judged = project.json("reports/gate.json")

    code, output = gate(project)
    assert code == {"ALLOW": 0, "REJECT": 1, "INCONCLUSIVE": 2}[judged["verdict"]], output
    assert all(name in output for name in judged["gates"])
    before = looks(output)  # the default's build is in git, and has these rows too
    assert f"spent {0.25 * before:.3g} % of an error budget of 5 %" in output

    project.edit("params.yaml", "against: null, bound: 0.8", "against: null, bound: 0.7")
    code, output = gate(project)
    assert code == 2, output
    assert "these gates are of another build; run `dvc repro`" in output

    assert "compare" in ran(project.repro("compare"))
    assert looks(gate(project)[1]) == before + 1, "of the commit and of this machine"
    assert looks(gate(project, "--rev", "HEAD")[1]) == before

    lock = project.read("dvc.lock")
    project.repro("--force", "--single-item", "compare")
    assert project.read("dvc.lock") == lock, "what was looked at before is in no output"
    assert looks(gate(project)[1]) == before + 1
