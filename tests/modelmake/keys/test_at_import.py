"""What the import of a module does besides binding names changes the key of a stage that could see it."""

from pathlib import Path

import pytest

from modelmake.keys.reach import Reached, reach

TABLE = "TABLE = {}\ndef register(f):\n    TABLE[f.__name__] = f\n    return f\n"
ACTING = (
    "LOG = []\nclass P:\n    def __matmul__(self, o): LOG.append(o)\n    def __getitem__(self, o): LOG.append(o)\n"
    "    def __set_name__(self, o, n): LOG.append(o)\np = P()\n"
)
HOOK = (
    "LOG = []\nclass Base:\n    def __init_subclass__(cls): LOG.append(cls)\n"
    "    def __class_getitem__(cls, k): return cls\n"
)
REGISTERED = {  # {what was tried: (the module with the table, a module that is only imported, what is replaced in it)}
    "a decorator without parentheses": (TABLE, "@register\ndef f(): return 1", "1"),
    "a decorator of a library": (TABLE, "from torch import register\n@register\ndef f(): return 1", "1"),
    "a decorator of a method": (TABLE, "class A:\n    @register\n    def f(self): return 1", "1"),
    "a decorator made by partial": (TABLE, "import functools\n@functools.partial(register)\ndef f(): return 1", "1"),
    "a subscript set in a class": (TABLE, "class A:\n    TABLE['x'] = 1", "1"),
    "a call in a class": (TABLE, "class A:\n    TABLE.update(x=1)", "1"),
    "an augmented assignment in a class": (TABLE, "class A:\n    TABLE |= {'x': 1}", "1"),
    "an attribute set in a class": (TABLE, "class A:\n    register.size = 1", "1"),
    "an operator": (ACTING, "x = p @ 1", "1"),
    "a subscript that is read": (ACTING, "x = p[1]", "1"),
    "an operator in a class": (ACTING, "class A:\n    x = p @ 1", "1"),
    "a descriptor of another module": (ACTING, "class A:\n    x = p\n    y = 1", "1"),
    "an augmented assignment": (TABLE, "TABLE |= {'a': 1}", "1"),
    "a deletion": (TABLE, "del TABLE['a1']", "1"),
    "a match": (TABLE, "match TABLE:\n    case {}:\n        TABLE['a'] = 1", "1"),
    "a fallback of an import": (TABLE, "try:\n    import nothing\nexcept ImportError:\n    TABLE['a'] = 1", "1"),
    "what is not run by the program": (TABLE, "if __name__ == '__main__':\n    pass\nelse:\n    TABLE['a'] = 1", "1"),
    "the elif of it": (TABLE, "if __name__ == '__main__':\n    pass\nelif TABLE:\n    TABLE['a'] = 1", "1"),
    "a variable named as that of type checkers": (
        TABLE, "TYPE_CHECKING = True\nif TYPE_CHECKING:\n    TABLE['a'] = 1", "= 1"),
    "a hook, through a subscript": (HOOK, "class A(Base[int]):\n    x = 1", "1"),
    "a hook, through an alias": (HOOK, "B = Base\nclass A(B):\n    x = 1", "1"),
    "a hook, through an alias of an alias": (HOOK + "B = Base[int]\nC = B\n", "class A(C):\n    x = 1", "1"),
    "a hook, through a condition": (HOOK, "class A(Base if TABLE else object):\n    x = 1", "1"),
    "a hook, of a nested class": (HOOK, "class W:\n    class A(Base):\n        x = 1", "1"),
    "a hook, in a nested class": (
        "class W:\n    class B:\n        def __init_subclass__(cls): ...\n", "class A(W.B):\n    x = 1", "1"),
    "a hook, of a class defined under a condition": (
        "if len('a'):\n    class Base:\n        def __init_subclass__(cls): ...\n", "class A(Base):\n    x = 1", "1"),
    "a hook, of a class that is made": (
        "def make(): return type('B', (), {'__init_subclass__': print})\nB = make()\n", "class A(B):\n    x = 1", "1"),
    "a hook that is set later": ("class B: ...\nB.__init_subclass__ = print\n", "class A(B):\n    x = 1", "1"),
    "a hook that is set by a decorator": (
        "def hooked(c):\n    setattr(c, '__init_' + 'subclass__', print)\n    return c\n@hooked\nclass B: ...\n",
        "class A(B):\n    x = 1", "1"),
    "a hook of a class of the same name": (
        "from stages import hook as base\nclass Base(base.Base): ...\n",
        "from stages import reg as base\nclass A(base.Base):\n    x = 1", "1"),
    "members of an enumeration": (
        "import enum\nclass B(enum.Enum):\n    def __init__(self, v): print(v)\n", "class A(B):\n    x = 1", "1"),
    "members of an enumeration with a base mixed in": (
        "import enum\nclass B(enum.Enum): ...\nclass M:\n    def __init__(self, v): print(v)\n",
        "class A(M, B):\n    x = 1", "1"),
    "a subscript of a class whose base has one": (HOOK, "class A(Base): ...\nx = A[1]", "1"),
    "an unpacking": (ACTING, "x, y1 = p", "1"),
    "a decorator that is called": (TABLE, "import functools\ny1 = functools.total_ordering(TABLE['C1'])", "1"),
}  # fmt: skip
PLAIN = {  # what an import alone does not reach, however it is written
    "a subclass": ("class B:\n    y = 1\n", "class A(B):\n    x = 1", "1"),
    "a subclass of a generic class": (
        "import typing\nT = typing.TypeVar('T')\nclass B(typing.Generic[T]): ...\n", "class A(B[int]):\n    x = 1",
        "1"),
    "an error": ("class B(ValueError): ...\n", "class A(B):\n    x = 1", "1"),
    "a property": (
        TABLE, "class A:\n    @property\n    def x(self): return 1\n    @x.setter\n    def x(self, v): ...", "1"),
    "arithmetic": (TABLE, "A = 2\nB = A * 60 + 1", "1"),
    "what type checkers alone see": (
        TABLE, "import typing as t\nif t.TYPE_CHECKING:\n    from stages.reg import A1 as B", "1"),
}  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "stages").mkdir()
    write(tmp_path, "__init__", "")
    write(tmp_path, "hook", HOOK)
    return tmp_path


def write(tree: Path, module: str, code: str) -> None:
    (tree / f"stages/{module}.py").write_text(code)


def reached(tree: Path, table: str, imported: str) -> Reached:
    write(tree, "reg", table)
    write(tree, "leaf", f"from stages.reg import *\n{imported}\n")
    write(tree, "go", "import stages.leaf\nfrom stages import reg\nprint(reg)\n")
    return reach(tree, "stages.go", [], ("stages",))


@pytest.mark.parametrize("tried", REGISTERED)
def test_what_an_import_registers_changes_the_key(tree: Path, tried: str) -> None:
    table, imported, old = REGISTERED[tried]
    before = reached(tree, table, imported)
    assert old in imported

    assert reached(tree, table, imported.replace(old, old.replace("1", "2"))).symbols != before.symbols


@pytest.mark.parametrize("tried", PLAIN)
def test_what_only_binds_names_stays_fresh(tree: Path, tried: str) -> None:
    table, imported, old = PLAIN[tried]
    names = "Base, LOG, TABLE, register, p, B"
    before = reached(tree, table, "")
    write(tree, "leaf", f"from stages.reg import {names}\n{imported}\n")
    before = reach(tree, "stages.go", [], ("stages",))

    write(tree, "leaf", f"from stages.reg import {names}\n{imported.replace(old, '2')}\n")

    assert reach(tree, "stages.go", [], ("stages",)).symbols == before.symbols


@pytest.mark.parametrize(
    ("first", "second"),
    [("class A(Base): ...\n", "class B(Base): ...\n"), ("LOG.append(1)\n", "class B(Base): ...\n")],
)
def test_the_order_of_classes_with_hooks_counts(tree: Path, first: str, second: str) -> None:
    assert reached(tree, HOOK, first + second).symbols != reached(tree, HOOK, second + first).symbols


def test_the_order_of_imports_counts_where_both_define_classes_with_hooks(tree: Path) -> None:
    for name in ("first", "second"):
        write(tree, name, f"from stages.hook import Base\nclass A{name}(Base): ...\n")
    symbols = []
    for order in ("first, stages.second", "second, stages.first"):
        write(tree, "go", f"import stages.{order}\nfrom stages import hook\nprint(hook.LOG)\n")
        symbols.append(reach(tree, "stages.go", [], ("stages",)).symbols)

    assert symbols[0] != symbols[1]
