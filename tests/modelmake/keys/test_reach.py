"""Every way in which code refers to other code is followed; all other code is left out."""

import hashlib
import textwrap
from pathlib import Path

import pytest

from modelmake.errors import UserError
from modelmake.keys.reach import Reached, reach

LEAF = """
    LIMIT = 3
    OTHER = 4

    def used(x):
        return x + LIMIT

    def idle():
        return OTHER

    class Base:
        pass
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write(tmp_path, "stages/leaf.py", LEAF)
    write(tmp_path, "stages/deep/leaf.py", LEAF)
    write(tmp_path, "stages/__init__.py", "")
    write(tmp_path, "stages/deep/__init__.py", "NAME = 1")
    return tmp_path


def write(tree: Path, file: str, code: str) -> None:
    (tree / file).parent.mkdir(parents=True, exist_ok=True)
    (tree / file).write_text(textwrap.dedent(code))


def reached_from(tree: Path, code: str = "", *chosen: str) -> Reached:
    """Everything that `stages.go` reaches; `code` is written to it."""
    if code:
        write(tree, "stages/go.py", code)
    return reach(tree, "stages.go", chosen, ("stages",))


def names(reached: Reached) -> set[str]:
    """Symbols of modules other than the program, without side effects."""
    return {
        f"{module}.{name}".removeprefix("stages.")
        for module, symbols in reached.symbols.items()
        for name in symbols
        if name and module != "stages.go"
    }


USED = {"leaf.used", "leaf.LIMIT"}
DEEP = {"deep.leaf.used", "deep.leaf.LIMIT"}
WHOLE = {"leaf.used", "leaf.idle", "leaf.LIMIT", "leaf.OTHER", "leaf.Base"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import stages.leaf\nstages.leaf.used(1)", USED),
        ("import stages.leaf as other\nother.used(1)", USED),
        ("from stages import leaf\nleaf.used(1)", USED),
        ("from stages.leaf import used\nused(1)", USED),
        ("from stages.leaf import used as other\nother(1)", USED),
        ("from . import leaf\nleaf.used(1)", USED),
        ("from .leaf import used\nused(1)", USED),
        ("from stages.deep.leaf import used\nused(1)", DEEP),
        ("import stages.deep.leaf\nstages.deep.leaf.used(1)", DEEP),
        ("from stages import deep\nimport stages.deep.leaf\ndeep.leaf.used(1)", DEEP),
        ("import stages.deep.leaf\nimport stages.leaf\nstages.leaf.used(1)", USED),
        ("from stages.leaf import *\nused(1)", WHOLE),
        ("from stages import leaf\ngetattr(leaf, 'us' + 'ed')(1)", WHOLE),
        ("from stages import leaf\nTABLE = {'leaf': leaf}\nprint(TABLE)", WHOLE),
        ("import importlib\nimportlib.import_module('stages.leaf')", WHOLE),
        ("from stages import leaf\nleaf", WHOLE),
        ("from stages import leaf\nleaf.LIMIT = 9", {"leaf.LIMIT"}),
        ("from stages import leaf", set()),
        ("from stages import leaf\ndef f(g=leaf.used): ...\nf()", USED),
        ("from stages import leaf\n@leaf.used\ndef f(): ...", USED),
        ("from stages import leaf\ndef f(): return leaf.used\nx = f()", USED),
        ("from stages import leaf\ndef idle(): return leaf.used", set()),
        ("from stages import leaf\nclass A(leaf.Base): ...\nA()", {"leaf.Base"}),
        ("from stages import leaf\nclass A:\n    def f(self): return leaf.used(1)\nprint(A)", USED),
        ("from stages import leaf\nprint([leaf.used(x) for x in (lambda: [1])()])", USED),
        ("from stages import leaf\nprint(f'{leaf.used(1)}')", USED),
        ("def f():\n    from stages.leaf import used\n    return used(1)\nf()", USED),
        ("def f():\n    from stages import leaf\n    def g(): return leaf.used(1)\n    return g\nf()", USED),
        ("try:\n    from stages import leaf\nexcept ImportError:\n    leaf = None\nleaf.used(1)", USED),
        ("if len('x'):\n    from stages.leaf import used as f\nelse:\n    from stages.deep.leaf import used as f\nf(1)",
         USED | DEEP),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from stages.leaf import Base\nprint()", set()),
        ("from stages.leaf import Base\ndef f(x: Base): ...\nf(1)", {"leaf.Base"}),
        ("from stages.leaf import Base\ndef f(x: 'Base'): ...\nf(1)", {"leaf.Base"}),
        ("from __future__ import annotations\nfrom stages.leaf import Base\ndef f(x: Base): ...\nf(1)", {"leaf.Base"}),
        ("from stages.leaf import used\ndef idle(used): return used\nidle(1)", set()),
        ("from stages.leaf import used as f\ndef g():\n    def h():\n        from stages.deep.leaf import used as f\n"
         "        return f(1)\n    return f(1) + h()\ng()", USED | DEEP),
        ("from stages import leaf as m\nclass A:\n    def f(self): return m.used(1)\n    def g(self):\n"
         "        from stages.deep import leaf as m\n        return m.used(1)\nprint(A)", USED | DEEP),
        ("class A:\n    from stages.leaf import used\nprint(A.used(1))", USED),
        ("def f(): return g(1)\nif __name__ == '__main__':\n    from stages.leaf import used as g\n    f()", USED),
        ("def f(): return g(1)\ndef s():\n    global g\n    from stages.leaf import used as g\ns()\nf()", USED),
        ("import unittest.mock as m\nm.patch('stages.leaf.used')", USED),
        ("print('ext://stages.leaf.used', 'stages.leaf:used')", USED),
        ("print('stages.leaf.Base.x')", {"leaf.Base"}),
        ("import pkgutil\npkgutil.resolve_name('stages.leaf:used')(1)", USED),
        ("print('stages.deep.leaf', 'stages.leaf.missing')", set()),
        ("from stages import leaf\nprint(leaf.__dict__['used'])", WHOLE),
        ("from stages.leaf import LIMIT\nif __name__ == '__main__':\n    print(LIMIT)", {"leaf.LIMIT"}),
    ],
)  # fmt: skip
def test_a_name_leads_to_the_symbol_it_is_bound_to_and_no_other(tree: Path, code: str, expected: set[str]) -> None:
    assert names(reached_from(tree, code)) - {"deep.NAME"} == expected


def test_a_name_that_a_package_re_exports_leads_to_its_definition(tree: Path) -> None:
    write(tree, "stages/deep/__init__.py", "from .leaf import used\nfrom stages import leaf as other")

    assert names(reached_from(tree, "from stages.deep import used\nused(1)")) == DEEP | {"deep.import used"}
    assert names(reached_from(tree, "import stages.deep as d\nd.other.idle()")) == {
        "leaf.idle", "leaf.OTHER", "deep.import other",
    }  # fmt: skip


def test_a_name_that_a_module_imports_is_reached_where_names_do_not_tell_what_is_used_of_it(tree: Path) -> None:
    write(tree, "stages/deep/__init__.py", "from .leaf import used\nfrom stages import leaf as other")

    assert names(reached_from(tree, "from stages import deep\ngetattr(deep, input())(1)")) >= DEEP
    assert names(reached_from(tree, "from stages.deep import *\nprint(used(1), other.used(1))")) >= DEEP | USED


@pytest.mark.parametrize("code", ["operator.attrgetter('leaf.' + x)(deep)", "vars(deep)['leaf']"])
def test_the_modules_of_a_package_are_attributes_of_it(tree: Path, code: str) -> None:
    reached = reached_from(tree, f"import operator\nimport stages.deep.leaf\nfrom stages import deep\nprint({code})")

    assert {f"deep.{name}" for name in WHOLE} <= names(reached)


@pytest.mark.parametrize("code", ["globals()['leaf'].used(1)", "vars()['leaf'].used(1)"])
def test_names_that_are_looked_up_may_be_those_of_imports(tree: Path, code: str) -> None:
    assert names(reached_from(tree, f"from stages import leaf\n{code}")) == WHOLE


@pytest.mark.parametrize(
    "code", ["from stages.deep import leaf", "from . import leaf", "import stages.deep.leaf as leaf"]
)
def test_a_package_may_import_its_own_modules_by_name(tree: Path, code: str) -> None:
    write(tree, "stages/deep/__init__.py", f"{code}\nTABLE = {{'leaf': leaf}}")

    reached = reached_from(tree, "from stages import deep\ndeep.leaf.used(1)")

    assert names(reached) == DEEP
    assert names(reached_from(tree, "from stages.deep import TABLE\nTABLE")) == {"deep.TABLE"} | {
        f"deep.{n}" for n in WHOLE
    }


def test_modules_that_import_each_other_are_followed_once(tree: Path) -> None:
    write(tree, "stages/leaf.py", "from stages import go\ndef used(): go.back()\n")

    assert names(reached_from(tree, "from stages import leaf\ndef back(): leaf.used()\nback()")) == {"leaf.used"}


@pytest.mark.parametrize(
    "code",
    ["REGISTRY['x'] = 1", "print()", "@register\ndef f(): ...", "X = register(1)",
     "if register:\n    def f(): ..."],
)  # fmt: skip
def test_side_effects_of_an_import_are_reached_with_it(tree: Path, code: str) -> None:
    head = "REGISTRY = {}\ndef register(x): return x\n"
    write(tree, "stages/leaf.py", head)
    before = reached_from(tree, "from stages import leaf")

    write(tree, "stages/leaf.py", head + code)

    assert reached_from(tree).symbols["stages.leaf"][""] != before.symbols["stages.leaf"][""]


@pytest.mark.parametrize("code", ["X = 1", "def f(): register()", "import re\nX = re.compile('x')"])
def test_definitions_are_not_reached_by_an_import_alone(tree: Path, code: str) -> None:
    write(tree, "stages/leaf.py", "def register(): ...\n")
    before = reached_from(tree, "from stages import leaf")

    write(tree, "stages/leaf.py", "def register(): ...\n" + code)

    assert reached_from(tree).symbols == before.symbols


def test_a_subclass_of_a_base_with_a_hook_is_taken_though_nothing_names_it(tree: Path) -> None:
    write(tree, "stages/base.py", "class Base:\n    def __init_subclass__(cls): print(cls)\nclass Middle(Base): ...\n")
    write(tree, "stages/leaf.py", "from stages import base\nclass Hooked(base.Middle): ...\nclass Plain: ...\n")

    assert names(reached_from(tree, "from stages import leaf")) == {"base.Base", "base.Middle", "leaf.Hooked"}


def test_a_module_that_params_select_is_taken_whole_with_the_reason(tree: Path) -> None:
    reached = reached_from(tree, "import importlib\nimportlib.import_module(input())", "stages.leaf")

    assert names(reached) == WHOLE
    assert reached.whole == {"stages.leaf": "chosen by params.yaml"}


@pytest.mark.parametrize("call", ["globals()['used']", "__import__('x')", "vars()"])
def test_code_that_looks_names_up_takes_its_module_whole(tree: Path, call: str) -> None:
    write(tree, "stages/leaf.py", LEAF + f"\n    def late(): return {call}")
    reached = reached_from(tree, "from stages import leaf\nleaf.late()")

    assert names(reached) == WHOLE | {"leaf.late"}
    assert reached.whole == {"stages.leaf": f"calls {call.partition('(')[0]}()"}


@pytest.mark.parametrize(
    "lookup",
    [
        "sys.modules['stages.' + input()]",
        "sys.modules.get('stages.leaf')",
        "list(sys.modules.values())[-1]",
        "(lambda modules: modules['stages.' + input()])(sys.modules)",
        "loaded['stages.' + input()]",
    ],
)
def test_code_that_looks_modules_up_takes_every_loaded_module_whole(tree: Path, lookup: str) -> None:
    reached = reached_from(
        tree, f"import sys\nfrom sys import modules as loaded\nfrom stages import leaf\n{lookup}.used(1)"
    )

    assert names(reached) == WHOLE
    assert reached.whole["stages.leaf"] == "stages.go looks into sys.modules"


def test_a_lookup_of_a_third_party_module_takes_nothing_whole(tree: Path) -> None:
    reached = reached_from(tree, "import sys\nfrom stages import leaf\nsys.modules.get('torch')\nsys.modules['torch']")

    assert (names(reached), reached.whole, set(reached.imports)) == (set(), {}, {"sys"})


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("open('stages/words.txt')", {"stages/words.txt"}),
        ("import pathlib\n(pathlib.Path(__file__).parent / 'words.txt').read_text()", {"stages/words.txt"}),
        ("import pathlib\nX = pathlib.Path(__file__).parent\nopen(X / 'lists' / 'en.txt')", {"stages/lists/en.txt"}),
        ("open(f'{__file__}/../words.txt')", set()),
        ("def idle(): open('stages/words.txt')", set()),
        ("import tokenize\ntokenize.open('stages/note.py')", {"stages/note.py"}),
        ("open('outside.txt')", set()),
        ("print('stages', '.', '..', '/', '')", set()),
    ],
)  # fmt: skip
def test_a_data_file_that_reached_code_names_is_taken(tree: Path, code: str, expected: set[str]) -> None:
    for file in ("stages/words.txt", "stages/lists/en.txt", "stages/note.py", "outside.txt"):
        write(tree, file, "hey")

    assert reached_from(tree, code).files == dict.fromkeys(expected, hashlib.md5(b"hey").hexdigest())


def test_data_files_behind_links_to_folders_are_taken(tree: Path) -> None:
    write(tree, "outside/en/words.txt", "hey")
    (tree / "stages/lists").mkdir()
    (tree / "stages/lists/more").symlink_to(tree / "outside")
    (tree / "stages/lists/around").symlink_to(tree / "stages/lists")

    assert reached_from(tree, "open('stages/lists')").files.keys() == {"stages/lists/more/en/words.txt"}


def test_third_party_imports_are_those_of_loaded_modules_and_reached_functions(tree: Path) -> None:
    write(tree, "stages/leaf.py", "import torch\ndef used():\n    import peft\ndef idle():\n    import trl\n")

    assert reached_from(tree, "from stages import leaf\nleaf.used()").imports == {
        "torch": "stages.leaf",
        "peft": "stages.leaf",
    }


def test_a_program_that_is_not_python_is_an_error_with_its_line(tree: Path) -> None:
    with pytest.raises(UserError, match=r"stages/go.py:2: .*: not valid Python; mend it$"):
        reached_from(tree, "x = 1\ndef (:\n")
