"""Edits that no name shows change the key: of imports, order, texts, and code that is looked up at run time."""

import textwrap
from pathlib import Path

import pytest

from modelmake.keys.reach import Reached, reach

LEAF = "def first(x):\n    return x\n\n\ndef second(x):\n    return -x\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write(tmp_path, "stages/__init__.py", "")
    write(tmp_path, "stages/leaf.py", LEAF)
    write(tmp_path, "stages/other.py", LEAF)
    return tmp_path


def write(tree: Path, file: str, code: str) -> None:
    (tree / file).parent.mkdir(parents=True, exist_ok=True)
    (tree / file).write_text(textwrap.dedent(code))


def reached(tree: Path, code: str) -> Reached:
    write(tree, "stages/go.py", code)
    return reach(tree, "stages.go", [], ("stages",))


def differ(tree: Path, before: str, after: str) -> bool:
    return reached(tree, before).symbols != reached(tree, after).symbols


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from stages.leaf import first as a, second as b\nprint(a(1), b(2))",
         "from stages.leaf import second as a, first as b\nprint(a(1), b(2))"),
        ("from math import floor as f\nprint(f(1))", "from math import ceil as f\nprint(f(1))"),
        ("from math import floor as f\ndef g(): return f(1)\nprint(g())",
         "from math import ceil as f\ndef g(): return f(1)\nprint(g())"),
        ("import math as m\nprint(m.log(1))", "import cmath as m\nprint(m.log(1))"),
        ("from math import floor as f\nclass A:\n    x = f\nprint(A)",
         "from math import ceil as f\nclass A:\n    x = f\nprint(A)"),
    ],
)  # fmt: skip
def test_a_name_that_is_imported_from_elsewhere_changes_what_uses_it(tree: Path, before: str, after: str) -> None:
    assert differ(tree, before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A = 1\nB = A\nA = 2\nprint(B)", "A = 1\nA = 2\nB = A\nprint(B)"),
        ("X = []\nX.append(1)\nY = tuple(X)\nprint(Y)", "X = []\nY = tuple(X)\nX.append(1)\nprint(Y)"),
        ("from stages.leaf import first\ndef first(x): return 3\nprint(first(1))",
         "def first(x): return 3\nfrom stages.leaf import first\nprint(first(1))"),
        ("X = []\nX.append(1)\ndef f(y=tuple(X)): return y\nprint(f())",
         "X = []\ndef f(y=tuple(X)): return y\nX.append(1)\nprint(f())"),
        ("from __future__ import annotations\nclass A:\n    x: int\nprint(A.__annotations__)",
         "class A:\n    x: int\nprint(A.__annotations__)"),
    ],
)  # fmt: skip
def test_the_order_of_statements_counts_where_it_decides_a_value(tree: Path, before: str, after: str) -> None:
    assert differ(tree, before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A = 1\nB = 2\nprint(A, B)", "B = 2\nA = 1\nprint(A, B)"),
        ("def f(): return 1\nprint(f())", "UNUSED = 3\ndef f(): return 1\nprint(f())"),
        ("import math\nimport re\nprint(math.pi, re.I)", "import re\nimport math\nprint(math.pi, re.I)"),
        ("X = []\nX.append(1)\ndef f(): return X\nprint(f())", "X = []\ndef f(): return X\nX.append(1)\nprint(f())"),
    ],
)
def test_the_order_of_statements_does_not_count_elsewhere(tree: Path, before: str, after: str) -> None:
    assert not differ(tree, before, after)


@pytest.mark.parametrize(
    "reader",
    ["used.__doc__", "getattr(used, '__doc__')", "inspect.getdoc(used)", "inspect.getsource(used)", "getdoc(used)",
     "transformers.utils.get_json_schema(used)", "used.__code__.co_consts", "msgspec.json.schema(used)",
     "getcomments(used)", "traceback.format_exc()", "sys._getframe().f_lineno", "inspect.stack()"],
)  # fmt: skip
def test_docstrings_count_for_all_that_is_reached_where_code_reads_texts(tree: Path, reader: str) -> None:
    code = f"from inspect import getdoc, getcomments\nfrom stages.leaf import used\nprint(used(1), {reader})"
    write(tree, "stages/leaf.py", 'def used(a):\n    """One."""\n    return a\n')
    before = reached(tree, code)

    write(tree, "stages/leaf.py", 'def used(a):\n    """Other."""\n    return a\n')

    assert reached(tree, code).symbols["stages.leaf"]["used"] != before.symbols["stages.leaf"]["used"]


def test_the_docstring_of_a_module_counts_where_code_reads_texts(tree: Path) -> None:
    code = "from stages import leaf\nprint(leaf.__doc__)"
    write(tree, "stages/leaf.py", '"""One."""\n')
    before = reached(tree, code)

    write(tree, "stages/leaf.py", '"""Other."""\n')

    assert reached(tree, code).symbols != before.symbols


@pytest.mark.parametrize("code", ["print(locals())", "print(eval('a'))", "print(vars())", "return inner.__name__"])
def test_names_of_locals_count_where_code_can_see_them(tree: Path, code: str) -> None:
    program = "def f():\n    a = 1\n    def inner(): return a\n    {}\nprint(f())"
    before = program.format(code)

    renamed = (
        before.replace("inner", "within") if "inner" in code else before.replace("a = 1", "b = 1").replace("n a", "n b")
    )

    assert differ(tree, before, renamed)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("from stages import leaf\nfor kind in leaf.Base.__subclasses__(): print(kind())", "looks for subclasses"),
        ("from stages import leaf\nimport gc\nprint(gc.get_objects())", "looks into all objects"),
        ("from stages import leaf\nimport importlib\nimportlib.import_module('stages.' + input()).hidden()",
         "imports modules by computed names"),
        ("from stages import leaf\nimport importlib\nm = importlib.import_module(input())\nm.hidden()",
         "imports modules by computed names"),
        ("from stages import leaf\nimport pkgutil\nprint(pkgutil.resolve_name(input()))",
         "imports modules by computed names"),
        ("from stages import leaf\nm = __import__('stages.' + input())\nm.hidden()",
         "imports modules by computed names"),
    ],
)  # fmt: skip
def test_code_that_finds_code_without_names_takes_every_loaded_module_whole(tree: Path, code: str, reason: str) -> None:
    write(tree, "stages/leaf.py", "class Base: ...\nclass Sub(Base):\n    x = 1\ndef hidden(): ...\n")

    result = reached(tree, code)

    assert {"Sub", "hidden"} <= result.symbols["stages.leaf"].keys()
    assert result.whole["stages.leaf"] == f"stages.go {reason}"


@pytest.mark.parametrize(
    "code",
    [
        "def f(params):\n    return [importlib.import_module(name).run() for name in params.modules()]\nf(1)",
        "def f(params):\n    for name in params.pii.modules():\n        engine = importlib.import_module(name)\n"
        "        engine.find()\nf(1)",
        "def f(params):\n    return importlib.import_module(params.modules()[0]).run()\nf(1)",
        "def f(names):\n    for name in names:\n        importlib.import_module(name)\nf([])",
    ],
)
def test_modules_that_params_choose_or_that_are_only_loaded_take_nothing_whole(tree: Path, code: str) -> None:
    result = reached(tree, f"import importlib\nfrom stages import leaf\n{code}")

    assert (result.symbols["stages.leaf"].keys(), result.whole) == ({""}, {})


@pytest.mark.parametrize(
    "statement",
    ["_ = operator.setitem(REGISTRY, 'a', 1)", "_ = functools.reduce(register, [1, 2])", "Y = decimal.setcontext(C)",
     "_ = re.sub('a', register, 'a')", "_ = sorted([1], key=register)", "Made = type('Made', (Base,), {})",
     "_ = pathlib.Path('x').write_text('y')", "Made = dataclasses.make_dataclass('Made', [], bases=(Base,))",
     "_ = abc.ABCMeta.register(Base, int)", "Z = (Y := register(1))", "_ = types.new_class('Made', (Base,))"],
)  # fmt: skip
def test_calls_of_pure_modules_that_run_other_code_or_change_state_are_side_effects(tree: Path, statement: str) -> None:
    head = (
        "import abc, dataclasses, decimal, functools, operator, pathlib, re, types\nREGISTRY = {}\n"
        "class Base:\n    def __init_subclass__(cls): ...\ndef register(*x): return ''\n"
    )
    program = "from stages import leaf\nprint(1)"
    write(tree, "stages/leaf.py", head)
    before = reached(tree, program)

    write(tree, "stages/leaf.py", head + statement)

    assert reached(tree, program).symbols != before.symbols


def test_the_order_of_imports_counts_where_both_have_side_effects(tree: Path) -> None:
    write(tree, "stages/names.py", "NAMES = []\n")
    write(tree, "stages/leaf.py", "from stages.names import NAMES\nNAMES.append(1)\n")
    write(tree, "stages/inner.py", "from stages.names import NAMES\nNAMES.append(2)\n")
    write(tree, "stages/other.py", "from stages import inner\nprint(inner)\n")
    use = "from stages.names import NAMES\nprint(NAMES)"

    assert differ(
        tree, f"import stages.leaf\nimport stages.other\n{use}", f"import stages.other\nimport stages.leaf\n{use}"
    )
    assert not differ(
        tree, f"import stages.leaf\nimport stages.names\n{use}", f"import stages.names\nimport stages.leaf\n{use}"
    )


def test_a_name_that_an_expression_binds_is_followed(tree: Path) -> None:
    assert differ(tree, "X = (Y := 3)\nprint(Y)", "X = (Y := 4)\nprint(Y)")
