"""What a plan says is what `dvc repro` then does: random edits, one and two at once, one after another."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from modelmake.planning import plan
from tests import made_up_graph as made_up

Edit = Callable[[Path, random.Random], None]


def put(path: str, *texts: str) -> Edit:
    """Writes one of the texts: often one that was there before."""
    return lambda root, chance: (root / path).write_text(chance.choice(texts)) and None


def parameters(root: Path, chance: random.Random) -> None:
    """Comments, one step more or less, and values that come back."""
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


def spoil(*paths: str) -> Edit:
    """Writes over an output; its object in the cache may be linked to it."""

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


def executable(root: Path, chance: random.Random) -> None:
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
EDITS: list[Edit] = [
    parameters,
    parameters,
    put("raw/rows.txt", "5 a\n3 b\n9 noise\n4 c\n1 d\n", "5 a\n3 b\n8 noise\n4 c\n1 d\n", "5 a\n3 b\n4 c\n1 d\n2 e\n"),
    put("raw/more.txt", "8 e\n", "8 e\n8 e\n"),
    put("code/clean.py", "drop", "drop more"),
    put("code/torch.py", "2.12.0", "2.13.0"),
    put("dvc.yaml", made_up.DVC_YAML, made_up.DVC_YAML.replace("page.txt\n    deps", "page.txt; true\n    deps")),
    remove(*OUTPUTS),
    remove(*OUTPUTS),
    remove(".dvc/cache/runs", ".dvc/cache/files/md5"),
    spoil("cleaned.txt", "split/train.txt", "models/up.txt", "all.txt", "page.txt", "keys/clean.json"),
    lose_object,
    touch,
    executable,
]


def rounds(root: Path, seed: int, number: int) -> set[str]:
    """Statuses that were said and held."""
    chance, said = random.Random(seed), set()
    for turn in range(number):
        edits = chance.sample(range(len(EDITS)), chance.choice((1, 1, 2, 3)))
        for edit in edits:
            EDITS[edit](root, chance)
        steps = plan.plan(root)
        done = made_up.run(root, "dvc", "repro")
        assert done.returncode == 0, (seed, turn, done.stderr)
        assert made_up.broken(steps, done.stdout) == [], (seed, turn, edits)
        assert {step.status for step in plan.plan(root)} == {"fresh"}, (seed, turn, edits)
        said |= {step.status for step in steps}
    return said


def test_random_edits_do_what_was_said(tmp_path: Path) -> None:
    made_up.write(tmp_path)

    assert rounds(tmp_path, seed=1, number=8) >= {"will run", "may run", "fresh"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_many_random_edits_do_what_was_said(tmp_path: Path, seed: int) -> None:
    made_up.write(tmp_path)

    rounds(tmp_path, seed, number=40)
