"""A function that numba keeps compiled has nothing of another file in it, of which numba would miss an edit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelmake.errors import UserError
from modelmake.keys.reach import reach

OTHER = "import numba\nSTEP = 1\n@numba.njit\ndef step(x): return x + 1\n"
KERNEL = "import numba\nfrom stages import other\nfrom stages.other import STEP, step\nOWN = 2\n{}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/__init__.py").touch()
    (tmp_path / "stages/other.py").write_text(OTHER)
    (tmp_path / "stages/go.py").write_text("from stages import leaf\nprint(leaf.f(1))\n")
    return tmp_path


def write(tree: Path, code: str) -> None:
    (tree / "stages/leaf.py").write_text(KERNEL.format(code))


@pytest.mark.parametrize(
    ("code", "name"),
    [("@numba.njit(cache=True)\ndef f(x): return x + STEP", "STEP"),
     ("@numba.njit(nogil=True, cache=True)\ndef f(x): return step(x)", "step"),
     ("@numba.njit(inline='always')\ndef g(x): return step(x)\n@numba.njit(cache=True)\ndef f(x): return g(x)", "step"),
     ("K = other.STEP * 2\n@numba.njit(cache=True)\ndef f(x): return x + K", "other.STEP"),
     ("def g(x): return x + STEP\nf = numba.jit(g, cache=True)", "STEP")],
)  # fmt: skip
def test_what_is_of_another_file_in_a_function_that_is_kept_is_refused(tree: Path, code: str, name: str) -> None:
    write(tree, code)

    with pytest.raises(
        UserError, match=rf"^stages\.leaf: numba keeps a compiled function with {name} of stages\.other"
    ):
        reach(tree, "stages.go", [], ("stages",))


@pytest.mark.parametrize(
    "code",
    ["@numba.njit\ndef f(x): return step(x)", "@numba.njit(cache=False)\ndef f(x): return x + STEP",
     "@numba.njit(cache=True)\ndef g(x): return x + OWN\ndef f(x): return g(x) + STEP"],
)  # fmt: skip
def test_what_is_compiled_anew_or_of_one_file_is_not_refused(tree: Path, code: str) -> None:
    write(tree, code)

    reached = reach(tree, "stages.go", [], ("stages",))

    assert "stages.leaf" in str(reached)


def test_numba_misses_an_edit_of_another_file(tree: Path) -> None:
    """If it no longer does, nothing has to be refused."""
    write(tree, "@numba.njit(cache=True)\ndef f(x): return x + STEP")
    printed = []
    for step in ("1", "2"):
        (tree / "stages/other.py").write_text(OTHER.replace("STEP = 1", f"STEP = {step}"))
        process = subprocess.run(
            [sys.executable, "-m", "stages.go"], cwd=tree, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        printed.append(process.stdout)

    assert printed == ["2\n", "2\n"]
