"""Pure statements only bind names; whatever may run code of the project when it is imported is told apart."""

import ast

import pytest

from modelmake.keys import imports, purity


def only_binds(code: str) -> bool:
    """The verdict on the last statement."""
    *before, last = ast.parse(code).body
    found = [s for s in before if isinstance(s, ast.Import | ast.ImportFrom)]
    defined = [s for s in before if s not in found]
    names = purity.Names(imports.aliases(found, "stages"), ("stages",), purity.stored([*defined, last]))
    for statement in defined:
        names.only_binds(statement)
    return names.only_binds(last)


@pytest.mark.parametrize(
    "code",
    ["X = 1", "def f(): register()", "import re\nX = re.compile('x')", "X = frozenset('a b'.split())",
     "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass A:\n    x: int", "class A(ValueError): ...",
     "X: int = 1", "import functools\n@functools.cache\ndef f(): ...", "X = [len(x) for x in 'ab']",
     "from stages import base\nclass A(base.Base): ...", "X = lambda: register(1)"],
)  # fmt: skip
def test_pure_definitions_and_assignments_only_bind(code: str) -> None:
    assert only_binds(code)


@pytest.mark.parametrize(
    "code",
    ["A = 2\nX = A * 60 + 1", "A = {'a': 1}\nX = A['a']", "A = {'a': 1}\nX = A | {'b': [*A]}",
     "X = -1 if 2 > 1 else 0",
     "class A: ...\nclass B: ...\nX = A | B | None", "from typing import Any\nX = dict[str, Any]",
     "import re\nX = re.I | re.M", "A = 1\nX = f'{A:>3}'", "import pathlib\nX = pathlib.Path(__file__).parent / 'x'",
     "from stages import base\nX = [base.A, base.B]",
     "from stages import base\ndef f(x: base.A | None) -> base.B[int]: ...",
     "X = dict.fromkeys('ab', 1)", "import itertools\nX = tuple(itertools.chain.from_iterable(['ab', 'c']))",
     "import functools\nfrom stages import base\nX = functools.partial(base.f, 1)"],
)  # fmt: skip
def test_operators_on_plain_values_and_types_only_bind(code: str) -> None:
    assert only_binds(code)


@pytest.mark.parametrize(
    "body",
    ["'Doc.'\n    x: int = 1", "@property\n    def x(self): ...\n    @x.setter\n    def x(self, v): ...",
     "@staticmethod\n    def f(): ...", "class B:\n        y = 1", "X = 1\n    Y = X + 1",
     "x: list = field(default_factory=list)",
     "pass", "def __init__(self): ..."],
)  # fmt: skip
def test_a_class_of_definitions_only_binds(body: str) -> None:
    assert only_binds(f"from dataclasses import field\nclass A:\n    {body}")


@pytest.mark.parametrize(
    "code",
    ["@register\ndef f(): ...", "X = register(1)", "X: int = register(1)", "class A(metaclass=Meta): ...",
     "import os\nX = os.environ.setdefault('A', '1')", "from stages import base\nX = base.register(1)",
     "import torch\nclass A(torch.nn.Module): ...", "def f(x=register(1)): ...", "X = [f() for f in (register,)]"],
)  # fmt: skip
def test_calls_and_bases_of_unknown_code_may_do_more(code: str) -> None:
    assert not only_binds(code)


@pytest.mark.parametrize(
    "code",
    ["X = p @ 1", "X = p[1]", "X = p == 1", "X = -p", "X = [*p]", "X = {**p}", "X = f'{p}'", "X = p and 1",
     "X = 0 < p < 1",
     "X = 1 if p else 2", "X = str(p)", "X = [x for x in p]", "X = [x for x in 'a' if p]", "Y = [p]\nX = Y[0] @ 1",
     "X = (Y := 1)", "def f(x=p @ 1): ...", "X = list.append(p, 1)", "X = dict.update(p, a=1)", "X = p.y.append(1)",
     "Y = [1]\nX = list.append(Y, 1)", "def len(x): ...\nX = len(1)", "list = p\nX = list(1)",
     "p.x = 1", "p[1] = 1", "x, p[1] = 0, 1", "p += 1", "del p", "p[1]: int = 1"],
)  # fmt: skip
def test_operators_on_objects_of_the_project_may_do_more(code: str) -> None:
    assert not only_binds(f"from stages.base import p\n{code}")


@pytest.mark.parametrize(
    "code",
    ["X = [p][0](f)", "X = {'a': p}['a'](f)", "X = (lambda: p(f))()", "X = functools.partial(p, f)()",
     "@functools.partial(p, 'a')\ndef f(): ...", "X = functools.update_wrapper(p, f)",
     "X = functools.reduce(p, [1, 2])",
     "X = list(itertools.takewhile(p, [1]))", "X = sorted([1], key=p)", "X = operator.call(p, f)",
     "X = operator.iadd(Y, [1])",
     "X = contextlib.ExitStack().callback(p)", "X = list(map(p, [1]))", "X = re.sub('a', p, 'a')",
     "X = re.sub('a', lambda m: 1, 'a')",
     "X = type('A', (B,), {})", "X = pathlib.Path('x').write_text('y')", "X = decimal.setcontext(Y)",
     "@(lambda f: p(f))\ndef f(): ...", "@p.x.setter\ndef f(): ..."],
)  # fmt: skip
def test_functions_that_call_what_they_are_given_may_do_more(code: str) -> None:
    head = "import contextlib, decimal, functools, itertools, operator, pathlib, re\nfrom stages.base import p\n"
    assert not only_binds(f"{head}Y = [1]\nclass B: ...\n{code}")


@pytest.mark.parametrize(
    "body",
    ["@p\n    def f(self): ...", "@p\n    class B: ...", "p['x'] = 1", "p.x = 1", "p |= 1", "for p['x'] in [1]: pass",
     "del p['a']", "x = p @ 1", "x = p", "x: int = p.y", "p.update(x=1)", "from stages.base import q",
     "global x\n    x = 1",
     "if p: x = 1", "@f.register\n    def g(self): ...", "class B(p()): ..."],
)  # fmt: skip
def test_a_class_whose_body_does_more_than_define_may_do_more(body: str) -> None:
    assert not only_binds(f"from stages.base import f, p\nclass A:\n    {body}")


def test_an_option_of_a_class_may_be_called_with_it() -> None:
    assert only_binds("import msgspec\nclass A(msgspec.Struct, rename='camel', frozen=True): ...")
    assert not only_binds("import msgspec\nfrom stages.base import p\nclass A(msgspec.Struct, rename=p): ...")


def test_an_enumeration_calls_its_methods_for_every_member() -> None:
    assert only_binds("import enum\nclass A(enum.Enum):\n    X = 1\n    def show(self): ...")
    assert not only_binds("import enum\nclass A(enum.Enum):\n    X = 1\n    def __init__(self, x): ...")
    assert only_binds("import enum\nclass A(str, enum.Enum):\n    X = 'x'")


@pytest.mark.parametrize("bases", ["Mix, enum.Enum", "p.Mix, enum.Enum", "enum.Enum, metaclass=p.Meta"])
def test_an_enumeration_calls_the_methods_of_what_is_mixed_into_it(bases: str) -> None:
    assert not only_binds(f"import enum\nfrom stages.base import p\nclass Mix: ...\nclass A({bases}):\n    X = 1")


@pytest.mark.parametrize(
    "code",
    ["X = dataclasses.dataclass(p.C)", "X = functools.total_ordering(p.C)", "X = typing.final(p.C)",
     "X = abc.abstractmethod(p.f)", "X = typing.runtime_checkable(p.C)", "X = functools.singledispatch(p.f)"],
)  # fmt: skip
def test_a_decorator_that_is_called_may_change_what_it_is_given(code: str) -> None:
    assert not only_binds(f"import abc, dataclasses, functools, typing\nfrom stages.base import p\n{code}")


@pytest.mark.parametrize("code", ["X = functools.cache(p.f)", "X = property(p.f)", "X = staticmethod(p.f)"])
def test_a_decorator_that_is_called_and_wraps_keeps_what_it_is_given(code: str) -> None:
    assert only_binds(f"import functools\nfrom stages.base import p\n{code}")


def test_a_class_may_have_operators_of_a_base_of_another_module() -> None:
    head = "from stages.base import Base, p\nclass A(Base): ...\nclass B(A): ...\nclass C: ...\n"

    assert not only_binds(f"{head}X = B['a']")
    assert not only_binds(f"{head}X = (1, 2)[p]")
    assert not only_binds("class A:\n    def __class_getitem__(cls, x): ...\nX = A['a']")
    assert only_binds(f"{head}X = A | B | None")
    assert only_binds(f"{head}X = A | C\nY = X | B")
    assert only_binds(f"{head}X = dict[str, p]")
    assert not only_binds(f"{head}X = A | p")


@pytest.mark.parametrize(
    ("code", "expected"),
    [("a, b = p", False), ("a, b = p.x", False), ("a, b = 1, p", True), ("a, b = range(2)", True),
     ("a, b = (f'{x}' for x in 'ab')", True), ("X = p.r\n@X.setter\ndef f(): ...", False),
     ("@p\ndef x(): ...\n@x.setter\ndef f(): ...", False)],
)  # fmt: skip
def test_what_is_unpacked_or_decorates_may_be_an_object_of_the_project(code: str, expected: bool) -> None:
    assert only_binds(f"from stages.base import p\n{code}") is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [("a = typing.cast(int, p)", False), ("a = typing.final(p)", False), ("a: int = field(default=p)", False),
     ("a: int = field(default=3)", True), ("a: list = field(default_factory=p.make)", True), ("a, b = p, 1", False),
     ("a = (p, 1)", True)],
)  # fmt: skip
def test_an_object_of_the_project_that_a_call_or_tuple_sets_in_a_class_may_ask_its_name(
    body: str, expected: bool
) -> None:
    code = f"import typing\nfrom dataclasses import field\nfrom stages.base import p\nclass A:\n    {body}"
    assert only_binds(code) is expected
