"""Ways to change what a stage does that somebody tried: each changes the key. docs/decisions/0038 lists them."""

import textwrap
from pathlib import Path

import pytest

from modelmake.errors import UserError
from modelmake.keys.reach import reach

USE = "from stages import leaf\nprint(leaf.first(1))\n"
TRIED = {  # {what was tried: (program, file, its code before, what is replaced in it, by what)}
    "a metaclass of another module": (
        "from stages.leaf import Meta\nclass A(metaclass=Meta): ...\nprint(A.size)", "stages/leaf.py",
        "class Meta(type):\n    size = 1\n", "1", "2"),
    "a decorator of another module": (
        "from stages.leaf import twice\n@twice\ndef f(): return 1\nprint(f())", "stages/leaf.py",
        "def twice(f): return lambda: 2 * f()\n", "2", "3"),
    "an implementation registered with singledispatch": (
        "from stages import other\nfrom stages.leaf import show\nprint(show(1))", "stages/other.py",
        "from stages.leaf import show\n@show.register\ndef _of_int(x: int): return 1\n", "return 1", "return 2"),
    "a patch of another module at import": (
        "from stages import other\n" + USE, "stages/other.py",
        "from stages import leaf\nleaf.first = lambda x: 3\n", "3", "4"),
    "a patch by setattr": (
        "from stages import other\n" + USE, "stages/other.py",
        "from stages import leaf\nsetattr(leaf, 'fi' + 'rst', lambda x: 3)\n", "3", "4"),
    "the __getattr__ of a module": (
        "from stages import leaf\nprint(leaf.missing)", "stages/leaf.py",
        "def __getattr__(name): return 1\n", "1", "2"),
    "a class that only an annotation in quotes names": (
        "from stages import leaf\nclass A:\n    x: 'leaf.Kind'\nprint(A.__annotations__)", "stages/leaf.py",
        "class Kind:\n    size = 1\n", "1", "2"),
    "an annotation of a local import": (
        "def f():\n    from stages.leaf import Kind\n    class A:\n        x: Kind\n    return A\nprint(f())",
        "stages/leaf.py",
        "class Kind:\n    size = 1\n", "1", "2"),
    "a subclass of a base of a library with hooks": (
        "from stages import other\nprint(1)", "stages/other.py",
        "from stages.leaf import Base\nclass Sub(Base):\n    size = 1\n", "1", "2"),
    "a class attribute with __set_name__": (
        "from stages.leaf import Field\nclass A:\n    x = Field()\nprint(A.x)", "stages/leaf.py",
        "class Field:\n    def __set_name__(self, owner, name): owner.size = 1\n", "1", "2"),
    "operator.attrgetter": (
        "import operator\nfrom stages import leaf\nprint(operator.attrgetter('fi' + 'rst')(leaf)(1))", "stages/leaf.py",
        "def first(x): return 1\n", "return 1", "return 2"),
    "the names in __all__": (
        "from stages.leaf import *\nprint(dir())", "stages/leaf.py", "__all__ = ['a']\na, b = 1, 2\n", "'a'", "'b'"),
    "a function defined under a condition": (
        USE, "stages/leaf.py", "import sys\nif sys.byteorder == 'little':\n    def first(x): return 1\n",
        "return 1", "return 2"),
    "a default factory": (
        "import dataclasses\nfrom stages.leaf import make\n@dataclasses.dataclass\nclass A:\n"
        "    x: list = dataclasses.field(default_factory=make)\nprint(A())", "stages/leaf.py",
        "def make(): return [1]\n", "[1]", "[2]"),
    "unpickling": (
        "import pickle, sys\nfrom stages import leaf\nprint(pickle.loads(sys.stdin.buffer.read()))", "stages/leaf.py",
        "class Hidden:\n    size = 1\n", "1", "2"),
    "the encoding that a comment declares": (
        USE, "stages/leaf.py", "# coding: latin-1\ndef first(x): return '\u00c3\u00a9'\n", "latin-1", "utf-8"),
    "a global that a called function sets": (
        USE, "stages/leaf.py", "def set_up():\n    global size\n    size = 1\nset_up()\ndef first(x): return size\n",
        "size = 1", "size = 2"),
    "a lambda in a table": (
        "from stages.leaf import TABLE\nprint(TABLE['a'](1))", "stages/leaf.py", "TABLE = {'a': lambda x: 1}\n",
        "1", "2"),
    "a method that is called by a string": (
        "from stages.leaf import Kind\nprint(getattr(Kind(), 'sh' + 'ow')())", "stages/leaf.py",
        "class Kind:\n    def show(self): return 1\n", "return 1", "return 2"),
    "a base that is chosen by __mro_entries__": (
        "from stages import other\nprint(1)", "stages/other.py",
        "from stages.leaf import Entry\nclass Sub(Entry()):\n    size = 1\n", "size = 1", "size = 2"),
    "a name that a with statement binds": (
        USE, "stages/leaf.py",
        "import contextlib\nwith contextlib.nullcontext(1) as size:\n    pass\ndef first(x): return size\n",
        "(1)", "(2)"),
    "the target of a loop": (
        USE, "stages/leaf.py", "for size in (1,):\n    pass\ndef first(x): return size\n", "(1,)", "(2,)"),
    "a star in an assignment": (
        USE, "stages/leaf.py", "a, *rest = 1, 2\ndef first(x): return rest\n", "2", "3"),
    "a type alias that code inspects": (
        "import typing\nfrom stages.leaf import Kind\nprint(typing.get_args(Kind))", "stages/leaf.py",
        "from typing import Literal\nKind = Literal['a']\n", "'a'", "'b'"),
    "a module with the name of a function of its package": (
        "import stages.package.load\nfrom stages.package import load\nprint(load.f())", "stages/package/load.py",
        "def f(): return 1\n", "1", "2"),
    "a function of a library that another module imports": (
        "from stages.other import f\nprint(f(1.5))", "stages/other.py", "from math import floor as f\n", "floor",
        "ceil"),
    "the same through two modules, one of which uses it": (
        "from stages.leaf import f\nprint(f(1.5))", "stages/other.py",
        "from math import floor as f\ndef g(): return f(2.5)\n", "floor", "ceil"),
    "the same as an attribute": (
        "from stages import other\nprint(other.f(1.5))", "stages/other.py", "from math import floor as f\n", "floor",
        "ceil"),
    "the same by a starred import": (
        "from stages.other import *\nprint(f(1.5))", "stages/other.py", "from math import floor as f\n", "floor",
        "ceil"),
    "a module of a library that another module imports": (
        "from stages.other import m\nprint(m.sqrt(4))", "stages/other.py", "import math as m\n", "math", "cmath"),
    "another function that is reached anyway": (
        "from stages.other import f\nfrom stages import leaf\nprint(f(1), leaf.first(1), leaf.show(1))",
        "stages/other.py", "from stages.leaf import first as f\n", "first", "show"),
    "a name with two underscores, read in a class": (
        "from stages.leaf import A\nprint(A().g())", "stages/leaf.py",
        "def _A__h(): return 1\nclass A:\n    def g(self): return __h()\n", "1", "2"),
    "a package that takes the place of a module": (
        USE, "stages/leaf/__init__.py", "def first(x): return 1\n", "1", "2"),
}  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write(tmp_path, "stages/__init__.py", "")
    write(tmp_path, "stages/package/__init__.py", "def load(): ...\n")
    write(tmp_path, "stages/other.py", "")
    write(
        tmp_path, "stages/leaf.py",
        "import functools\nfrom torch import nn\nfrom stages.other import f\n"
        "def first(x): return x\nclass Base(nn.Module): ...\n"
        "@functools.singledispatch\ndef show(x): return x\n"
        "class Entry:\n    def __mro_entries__(self, bases): return ()\n",
    )  # fmt: skip
    return tmp_path


def write(tree: Path, file: str, code: str) -> None:
    (tree / file).parent.mkdir(parents=True, exist_ok=True)
    (tree / file).write_text(textwrap.dedent(code), "utf-8")


@pytest.mark.parametrize("tried", TRIED)
def test_what_was_tried_changes_the_key(tree: Path, tried: str) -> None:
    program, file, code, old, new = TRIED[tried]
    write(tree, "stages/go.py", program)
    write(tree, file, code)
    before = reach(tree, "stages.go", [], ("stages",))
    assert old in code

    write(tree, file, code.replace(old, new))

    assert reach(tree, "stages.go", [], ("stages",)).symbols != before.symbols


def test_a_compiled_module_is_no_code_that_a_key_could_cover(tree: Path) -> None:
    write(tree, "stages/go.py", USE)
    (tree / "stages/leaf.so").touch()

    assert "stages.leaf" not in reach(tree, "stages.go", [], ("stages",)).symbols


@pytest.mark.parametrize(
    "code", ["from stages.room.leaf import f", "import stages.room.leaf", "from stages import room"]
)
def test_a_folder_of_modules_that_is_no_package_is_refused(tree: Path, code: str) -> None:
    write(tree, "stages/room/leaf.py", "def f(): return 1\n")
    write(tree, "stages/go.py", code)

    with pytest.raises(UserError, match=r"stages/room: holds modules and no __init__\.py: want one"):
        reach(tree, "stages.go", [], ("stages",))


def test_a_package_that_takes_every_name_of_its_own_module_is_followed(tree: Path) -> None:
    write(tree, "stages/package/__init__.py", "from stages.package.own import *\n")
    write(
        tree, "stages/package/own.py", "from stages import leaf as known\nfor named in [1]: pass\ndef f(): return 1\n"
    )
    write(tree, "stages/go.py", "from stages.package import f, known, named, nothing\nprint(f(), known.first, named)\n")

    symbols = reach(tree, "stages.go", [], ("stages",)).symbols

    assert "f" in symbols["stages.package.own"]
    assert "first" in symbols["stages.leaf"]
