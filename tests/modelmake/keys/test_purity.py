"""Pure statements only bind names; calls and bases of unknown code may have a side effect at import."""

import ast

import pytest

from modelmake.keys import imports, purity


def only_binds(code: str) -> bool:
    """The verdict on the last statement."""
    *before, last = ast.parse(code).body
    aliases = imports.aliases([s for s in before if isinstance(s, ast.Import | ast.ImportFrom)], "stages")
    return purity.only_binds(last, aliases, ("stages",))


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
    ["@register\ndef f(): ...", "X = register(1)", "X: int = register(1)", "class A(metaclass=Meta): ...",
     "import os\nX = os.environ.setdefault('A', '1')", "from stages import base\nX = base.register(1)",
     "import torch\nclass A(torch.nn.Module): ...", "def f(x=register(1)): ...", "X = [f() for f in (register,)]"],
)  # fmt: skip
def test_calls_and_bases_of_unknown_code_may_do_more(code: str) -> None:
    assert not only_binds(code)
