"""Old and present code on a share of the real inputs: equal bytes are accepted, visibly, until a rebuild says more."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests import conftest
from tests.conftest import Project
from tests.modelmake.small_build import commit
from tests.modelmake.verifying.conftest import MODELMAKE

pytestmark = pytest.mark.slow
ROWS = 1000
COUNT = "outcome.total += 1"
CLEANED = "result, changed_by, personal = clean(row, params)"


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The real project up to `clean`, on 1,000 rows, committed."""
    project = conftest.clone(tmp_path_factory.mktemp("cleaned") / "project")
    (project.path / "dvc.lock").unlink()
    for file in (project.path / "data/raw").iterdir():
        file.unlink()
    answer = json.dumps({"intent": "cancel_order", "product": "kettle", "urgency": "normal"})
    rows = [
        {"messages": [{"role": "user", "content": f"Cancel {n} kettles."}, {"role": "assistant", "content": answer}]}
        for n in range(ROWS)
    ]
    project.write("data/raw/chats.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))
    project.repro("clean")
    assert len(project.read("data/cleaned/rows.jsonl").splitlines()) == ROWS
    commit(project)
    return project


@pytest.fixture
def project(cleaned: Project, tmp_path: Path) -> Project:
    return cleaned.copy(tmp_path / "project")


def modelmake(project: Project, *arguments: str) -> tuple[int, str]:
    return project.run(*MODELMAKE, *arguments)


def changed(project: Project) -> list[str]:
    status = ["git", "status", "--short"]
    return subprocess.run(status, cwd=project.path, capture_output=True, text=True, check=True).stdout.splitlines()


def clean_in_trace(project: Project) -> str:
    code, output = modelmake(project, "trace", "data/cleaned/rows.jsonl")
    assert code == 0, output
    return re.search(r"^  clean +(.*)", output, re.MULTILINE)[1]


def alter(project: Project, number: int) -> None:
    """An edit of `clean` that drops one row alone."""
    id = json.loads(project.read("data/ingested/rows.jsonl").splitlines()[number - 1])["id"]
    drop = f'if row.id == "{id}":\n                result = Drop(row.id, "refusal", "")'
    project.edit("stages/clean.py", CLEANED, f"{CLEANED}\n            {drop}")


def test_an_equal_refactoring_is_accepted_and_told_so_until_a_run_proves_it(project: Project) -> None:
    project.edit("stages/clean.py", COUNT, "outcome.total = outcome.total + 1")
    code, output = modelmake(project, "accept", "clean", "--probe")
    words = "accepted on a probe of 200 of 1,000 rows"
    assert code == 0, output
    assert re.search(
        "^clean: the code of .{10} and the present: same bytes on a probe of 200 of 1,000 rows, none of ", output
    )
    assert output.endswith("accepted 1 of 1: commit dvc.lock, keys and accepted.jsonl\n")
    assert changed(project) == [
        " M dvc.lock", " M keys/clean.json", " M stages/clean.py", "?? accepted.jsonl",
    ]  # fmt: skip
    assert project.run("dvc", "status", "clean")[1].strip() == "Data and pipelines are up to date."

    assert f"\nclean: {words}, not rebuilt\n" in modelmake(project, "verify")[1]
    assert clean_in_trace(project).startswith(f"{words}, not rebuilt: on the probe the code of ")
    assert words in modelmake(project, "trace", "data/cleaned/rows.jsonl", "--graph")[1]
    commit(project)

    project.edit("stages/clean.py", "outcome.total = outcome.total + 1", "outcome.total = 1 + outcome.total")
    code, output = modelmake(project, "accept", "--probe", "100")
    chain = "accepted on a probe of 100 of 1,000 rows, before that a probe of 200 of 1,000 rows"
    assert code == 0, output
    assert clean_in_trace(project).startswith(f"{chain}, not rebuilt: ")
    assert len(project.read("accepted.jsonl").splitlines()) == 2

    project.repro("-s", "-f", "clean")
    assert clean_in_trace(project).startswith("built here ")
    assert "probe" not in modelmake(project, "verify")[1]


def test_a_change_of_one_row_is_refused_where_the_probe_meets_it_else_a_rebuild_refutes_it(project: Project) -> None:
    alter(project, 5)
    before = changed(project)
    code, output = modelmake(project, "accept", "clean", "ingest", "--probe", str(ROWS))
    assert code == 1
    assert (
        "clean: refused: on a probe of 1,000 of 1,000 rows: other bytes: data/cleaned/rows.jsonl from line 5, "
        "data/cleaned/dropped.parquet, reports/data/clean.json: nothing recorded; `dvc repro` runs it\n"
    ) in output
    assert "ingest: its key is that of dvc.lock: nothing to accept\n" in output
    assert changed(project) == before == [" M stages/clean.py"], "all is as it was"

    code, output = modelmake(project, "accept", "clean", "--probe", "20")
    assert code == 0, output
    words = "accepted on a probe of 20 of 1,000 rows"
    assert f"\nclean: {words}, not rebuilt\n" in modelmake(project, "verify")[1]
    commit(project)
    assert modelmake(project, "verify", "--rebuild", "clean")[0] == 1
    assert re.search(f"\nclean: {words}, the rebuild of 20.* gave other bytes\n", modelmake(project, "verify")[1])
    assert clean_in_trace(project).startswith(f"{words}, the rebuild of ")


def test_a_rebuild_proves_what_was_accepted_on_a_probe_in_every_clone(project: Project) -> None:
    project.edit("stages/clean.py", COUNT, "outcome.total = outcome.total + 1")
    assert modelmake(project, "accept", "clean", "--probe", "10")[0] == 0
    commit(project)
    assert modelmake(project, "verify", "--rebuild", "clean")[0] == 0
    (project.path / ".dvc/cache/modelmake/runs.jsonl").unlink()
    (project.path / ".dvc/cache/modelmake/verified.jsonl").unlink()  # as in another clone

    assert "probe" not in modelmake(project, "verify")[1]
    assert clean_in_trace(project).startswith("accepted on a probe of 10 of 1,000 rows; the rebuild of 20")


def test_what_more_than_the_code_made_stale_is_refused(project: Project) -> None:
    project.edit("stages/clean.py", COUNT, "outcome.total = outcome.total + 1")
    project.edit("params.yaml", "max_chars: 2000", "max_chars: 2001")
    code, output = modelmake(project, "accept", "clean", "--probe")

    assert (code, output) == (
        1,
        "clean: refused: more than its key changed: parameter clean: nothing recorded; `dvc repro` runs it\n",
    )


def test_old_code_never_runs_with_other_packages_than_its_own(project: Project) -> None:
    """It was built with a version that no index has: it cannot be installed, and the present one will not do."""
    locked = project.read("uv.lock")
    version = re.search(r'name = "msgspec"\nversion = "(.*?)"', locked)[1]
    project.edit("uv.lock", f'name = "msgspec"\nversion = "{version}"', 'name = "msgspec"\nversion = "0.0.1"')
    project.edit("uv.lock", f"msgspec-{version}", "msgspec-0.0.1")
    project.repro("clean")
    commit(project)
    project.write("uv.lock", locked)
    code, output = modelmake(project, "accept", "clean", "--probe")

    assert code == 1
    assert re.match(
        r"clean: refused: its packages changed since .{10}, and the old cannot be installed offline:", output
    )
    assert changed(project) == [" M uv.lock"]
