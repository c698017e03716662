"""`dvc repro` does what the plan says: random edits, up to three at once, one after another."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from modelmake.planning import plan
from tests import made_up_graph as graph

Edit = Callable[[Path, random.Random], None]


def write(path: str, *texts: str) -> Edit:
    """Writes one of the texts, often one that was there before."""
    return lambda root, chance: (root / path).write_text(chance.choice(texts)) and None


def parameters(root: Path, chance: random.Random) -> None:
    """Comments, a step added or removed, and values that return."""
    steps = chance.choice(("  up: {flag: -n}", "  up: {flag: -u}", "  side: {flag: -n}\n  up: {flag: -n}"))
    (root / "params.yaml").write_text(
        f"clean: {{without: {chance.choice(('noise', 'never'))}, note: {chance.choice((1, 1.0, 2))}}}"
        f"{chance.choice(('', ' # remark'))}\nsplit: {{rows: {chance.choice((2, 3))}}}\ntrain:\n{steps}\n"
    )


def remove(*paths: str) -> Edit:
    def change(root: Path, chance: random.Random) -> None:
        path = root / chance.choice(paths)
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    return change


def overwrite(*paths: str) -> Edit:
    """Edits an output, whose object in the cache may be a hard link."""

    def change(root: Path, chance: random.Random) -> None:
        if (path := root / chance.choice(paths)).exists():
            path.chmod(0o644)
            path.write_text(chance.choice(("", "other")))

    return change


def lose_object(root: Path, chance: random.Random) -> None:
    objects = sorted(path for path in (root / ".dvc/cache/files/md5").rglob("*") if path.is_file())
    if objects:
        chance.choice(objects).unlink()


def touch(root: Path, chance: random.Random) -> None:
    for path in ("raw/rows.txt", "cleaned.txt", "code/clean.py"):
        if (root / path).exists():
            (root / path).touch()


def make_executable(root: Path, chance: random.Random) -> None:
    (root / "cleaned.txt").chmod(0o755) if (root / "cleaned.txt").exists() else None


OUTPUTS = (
    "cleaned.txt",
    "count.txt",
    "split",
    "split/test.txt",
    "models/up.txt",
    "models",
    "all.txt",
    "page.txt",
    "keys",
)
ROWS = "4 c\n1 d\n"
EDITS: list[Edit] = [
    parameters,
    parameters,
    write(
        "raw/rows.txt", "5 a\n3 b\n9 noise\n4 c\n1 d\n", "5 a\n3 b\n8 noise\n4 c\n1 d\n", "5 a\n3 b\n4 c\n1 d\n2 e\n"
    ),
    write("raw/more.txt", "8 e\n", "8 e\n8 e\n"),
    write("code/clean.py", "drop", "drop more"),
    write("code/torch.py", "2.12.0", "2.13.0"),
    write("dvc.yaml", graph.DVC_YAML, graph.DVC_YAML.replace("page.txt\n    deps", "page.txt; true\n    deps")),
    remove(*OUTPUTS),
    remove(*OUTPUTS),
    remove(".dvc/cache/runs", ".dvc/cache/files/md5"),
    overwrite("cleaned.txt", "split/train.txt", "models/up.txt", "all.txt", "page.txt", "keys/clean.json"),
    lose_object,
    touch,
    make_executable,
]


def plan_and_build(root: Path, seed: int, rounds: int) -> set[str]:
    """Makes random edits, plans and builds, again and again; returns every status that the plans had."""
    chance, statuses = random.Random(seed), set()
    for number in range(rounds):
        edits = chance.sample(range(len(EDITS)), chance.choice((1, 1, 2, 3)))
        for edit in edits:
            EDITS[edit](root, chance)
        steps = plan.plan(root)
        done = graph.run(root, "dvc", "repro")
        assert done.returncode == 0, (seed, number, done.stderr)
        assert graph.wrong_forecasts(steps, done.stdout) == [], (seed, number, edits)
        assert {step.status for step in plan.plan(root)} == {"fresh"}, (seed, number, edits)
        statuses |= {step.status for step in steps}
    return statuses


def test_dvc_does_what_was_planned_after_random_edits(tmp_path: Path) -> None:
    graph.write(tmp_path)

    assert plan_and_build(tmp_path, seed=1, rounds=8) >= {"will run", "may run", "fresh"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_dvc_does_what_was_planned_after_many_random_edits(tmp_path: Path, seed: int) -> None:
    graph.write(tmp_path)

    plan_and_build(tmp_path, seed, rounds=40)
