"""Where the order of a module's statements decides what they find, it changes the key; elsewhere it does not."""

from pathlib import Path

import pytest

from modelmake.keys.reach import Reached, reach

LEAF = "LOG = []\ndef f(): return 1\n"
HOOKED = "class Hooked:\n    def __init_subclass__(cls): LOG.append(cls)\n"
SWAPPED = {  # {what was tried: (head, two statements whose order decides, use)}
    "a base that is defined twice": ("class B: x = 1\n", ("class A(B): ...", "class B: x = 2"), "A.x"),
    "a base that a condition defines again": (
        "class B: x = 1\n", ("class A(B): ...", "if len('a'):\n    class B: x = 2"), "A.x"),
    "a base that an import may take the place of": (
        "B = object\n", ("class A(B): ...", "try:\n    from stages.leaf import C as B\nexcept ImportError:\n    pass"),
        "A.__mro__"),
    "the type of a field, bound twice": ("K = int\n", ("class A:\n    x: K", "K = str"), "A.x"),
    "the type of an argument, bound twice": ("K = int\n", ("def g(x: K): ...", "K = str"), "g(1)"),
    "the default of a method": (
        "X = []\n", ("X.append(1)", "class A:\n    def f(self, y=tuple(X)): return y"), "A().f()"),
    "a value in a nested class": (
        "X = []\n", ("X.append(1)", "class A:\n    class B:\n        y = tuple(X)"), "A.B.y"),
    "the argument of a decorator": (
        "import functools\nX = []\n", ("X.append(1)", "@functools.lru_cache(maxsize=len(X))\ndef g(): ..."), "g()"),
    "a value and the condition that changes it": ("", ("X = 1", "if len('a'):\n    X = 2"), "X"),
    "two imports of one name": ("", ("from stages.leaf import f", "from stages.other import f"), "f()"),
    "two starred imports": ("", ("from stages.leaf import *", "from stages.other import *"), "f()"),
    "a starred import and a definition": ("", ("from stages.leaf import *", "def f(): return 3"), "f()"),
    "a starred import and an import": ("", ("from stages.leaf import *", "from stages.third import f"), "f()"),
    "an effect and an import with effects": (
        "from stages.leaf import LOG\n", ("LOG.append(1)", "import stages.adding"), "LOG"),
    "a class with a hook and an import with effects": (
        "from stages.leaf import Hooked\n", ("class A(Hooked): ...", "import stages.adding"), "A"),
    "an effect and the import of a library": (
        "import os\n", ("os.environ['NUMBA_NUM_THREADS'] = '2'", "import numba"), "numba.config"),
}  # fmt: skip
ADDED = {  # {what is added where it decides nothing: (head, added, after it)}
    "an import before an effect": ("import os\n", "import json\n", "os.environ['A'] = '1'\n"),
    "a function whose arguments have types": (
        "class K: ...\nX = []\nX.append(1)\n", "def g(x: K) -> K: ...\n", "class A(K):\n    y: K\n"),
    "a subclass between effects": ("class B: ...\nX = []\nX.append(1)\n", "class A(B):\n    x: B\n", "X.append(2)\n"),
    "a function after a starred import": ("from stages.leaf import *\n", "def g(): ...\n", ""),
}  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "stages").mkdir()
    for name, code in {
        "__init__": "", "leaf": LEAF + "class C: ...\n" + HOOKED, "other": "def f(): return 2\n",
        "third": "def f(): return 3\n", "adding": "from stages.leaf import LOG\nLOG.append(2)\n",
    }.items():  # fmt: skip
        (tmp_path / f"stages/{name}.py").write_text(code)
    return tmp_path


def reached(tree: Path, code: str) -> Reached:
    (tree / "stages/go.py").write_text(code)
    return reach(tree, "stages.go", [], ("stages",))


@pytest.mark.parametrize("tried", SWAPPED)
def test_an_order_that_decides_changes_the_key(tree: Path, tried: str) -> None:
    head, (first, second), use = SWAPPED[tried]
    swapped = [f"{head}{a}\n{b}\nprint({use})\n" for a, b in ((first, second), (second, first))]

    assert reached(tree, swapped[0]).symbols != reached(tree, swapped[1]).symbols


@pytest.mark.parametrize("tried", ADDED)
def test_what_is_added_where_the_order_decides_nothing_stays_fresh(tree: Path, tried: str) -> None:
    head, added, rest = ADDED[tried]
    (tree / "stages/module.py").write_text(f"{head}{rest}")
    before = reached(tree, "import stages.module\n")

    (tree / "stages/module.py").write_text(f"{head}{added}{rest}")

    assert reached(tree, "import stages.module\n").symbols == before.symbols


@pytest.mark.parametrize(
    ("imports", "counts"),
    [("import json, numba", True), ("import json, numba as n", True), ("import json\nfrom numba import njit", True),
     ("import json, csv", False), ("import json\nimport numba as json", True)],
)  # fmt: skip
def test_an_import_of_a_package_that_no_code_names_is_there_for_its_effects(
    tree: Path, imports: str, counts: bool
) -> None:
    before = reached(tree, "import json\nprint(json)\n").symbols

    assert (reached(tree, f"{imports}\nprint(json)\n").symbols != before) is counts


def test_a_package_that_code_names_is_known_by_its_version_alone(tree: Path) -> None:
    before = reached(tree, "import json\nprint(json)\n").symbols

    (tree / "stages/go.py").write_text("import json\nimport numba\nprint(json)\ndef g(): return numba\n")

    assert reach(tree, "stages.go", [], ("stages",)).symbols == before
