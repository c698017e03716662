"""Looks at a suite are counted over git and this machine, once each, and only while most of its rows are the same."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest

from modelmake.running import work_folders
from stages.commands import looks
from tests.made_up_history import MadeUpProject

PATH = "reports/gate.json"
GATE = {"model": "sft", "metric": "exact_match", "against": None, "wanted": 0.8, "where": None, "suite": "chat"}
IDS = sorted(hashlib.sha256(bytes([n])).hexdigest()[:24] for n in range(100))


def gate(answers: str, ids: list[str] = IDS, looks: int = 20, **changes: Any) -> dict[str, Any]:
    suite = {"rows": len(ids), "sample": sorted(ids)[:32], "answers": answers}
    return {
        "verdict": "ALLOW", "error": 0.05, "looks": looks, "suites": {"chat": suite},
        "gates": {"mine": {"verdict": "ALLOW", **GATE, **changes}},
    }  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> MadeUpProject:
    return MadeUpProject(tmp_path / "project")


def commit(project: MadeUpProject, content: Any) -> None:
    path = project.root / PATH
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    project.commit("a build")


def archive(project: MadeUpProject, name: str, content: Any) -> None:
    folder = work_folders.archive(project.root, "stages.compare")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))


def spent(project: MadeUpProject, now: dict[str, Any], until: float = math.inf) -> tuple[looks.Spent, int]:
    found, unknown = looks.spent(project.root, PATH, now, until)
    return found["chat"], unknown


def test_the_first_build_is_the_first_look(project: MadeUpProject) -> None:
    found, unknown = spent(project, gate("a"))

    assert (found.looks, found.error, found.budget, found.is_over, unknown) == (1, 0.0025, 0.05, False, 0)


def test_looks_in_git_on_any_branch_and_on_this_machine_are_added(project: MadeUpProject) -> None:
    commit(project, gate("a"))
    project.git("checkout", "-qb", "other")
    commit(project, gate("b"))
    project.git("checkout", "-q", "main")
    archive(project, "1", gate("c"))

    assert spent(project, gate("d"))[0].looks == 4


def test_the_same_answers_under_the_same_gates_are_one_look(project: MadeUpProject) -> None:
    for _ in range(2):
        commit(project, gate("a"))
    archive(project, "1", gate("a"))
    assert spent(project, gate("a"))[0].looks == 1

    assert spent(project, gate("a", wanted=0.7))[0].looks == 2, "a bound that was moved after a look is another look"
    assert spent(project, gate("a", verdict="REJECT"))[0].looks == 1


def test_a_budget_is_over_after_its_looks_and_each_spends_its_own_level(project: MadeUpProject) -> None:
    for n in range(20):
        archive(project, str(n), gate(f"answers {n}"))
    assert not spent(project, gate("answers 0"))[0].is_over
    assert spent(project, gate("answers 20"))[0].is_over

    found = spent(project, gate("answers 20", looks=100))[0]
    assert found.error == pytest.approx(20 * 0.0025 + 0.0005), "more looks declared now give nothing back"
    assert found.is_over


def test_a_fresh_suite_has_a_fresh_budget(project: MadeUpProject) -> None:
    fresh = sorted(hashlib.sha256(bytes([n, 1])).hexdigest()[:24] for n in range(100))
    commit(project, gate("a"))

    assert spent(project, gate("b", fresh))[0].looks == 1


@pytest.mark.parametrize(("kept", "looks_then"), [(100, 2), (80, 2), (20, 1), (0, 1)])
def test_a_suite_that_grew_keeps_what_was_spent_while_most_rows_are_the_old(
    project: MadeUpProject, kept: int, looks_then: int
) -> None:
    new = [hashlib.sha256(bytes([n, 2])).hexdigest()[:24] for n in range(100 - kept)]
    old = [id for n, id in enumerate(IDS) if n * 37 % 100 < kept]  # from all over
    commit(project, gate("a"))

    assert spent(project, gate("b", old + new))[0].looks == looks_then


def test_the_overlap_is_estimated_from_the_smallest_ids() -> None:
    def seen(ids: list[str]) -> dict[str, Any]:
        return gate("a", ids)["suites"]["chat"]

    every_second = IDS[::2]
    assert looks.overlap(seen(IDS), seen(IDS)) == 1
    assert looks.overlap(seen(every_second), seen(IDS)) == 1, "all of its rows were seen"
    assert looks.overlap(seen(IDS), seen(every_second)) == pytest.approx(0.5, abs=0.1)
    assert looks.overlap(seen(IDS), seen(IDS[:10])) == pytest.approx(10 / 32), "a suite of few rows is its own sample"
    assert looks.overlap(seen(IDS[50:]), seen(IDS[:50])) == 0


def test_later_looks_spend_nothing_of_an_earlier_build(project: MadeUpProject) -> None:
    commit(project, gate("a"))
    then = project.timestamp
    commit(project, gate("b"))
    archive(project, "1", gate("c"))

    assert spent(project, gate("a"), until=then)[0].looks == 1
    assert spent(project, gate("a"))[0].looks == 3


def test_files_that_do_not_say_what_they_saw_are_told_and_broken_ones_left(project: MadeUpProject) -> None:
    commit(project, {"verdict": "pass", "gates": {}})
    commit(project, "<<<<<<< ours")
    archive(project, "1", '{"cut short')

    assert spent(project, gate("a"))[1] == 1


def test_the_same_rows_under_another_name_of_a_suite_are_the_same_rows(project: MadeUpProject) -> None:
    commit(project, gate("a"))
    golden = gate("b", suite="golden")
    golden["suites"] = {"golden": golden["suites"]["chat"]}

    found, _ = looks.spent(project.root, PATH, golden, math.inf)

    assert found["golden"].looks == 2
