"""A type in quotes, or a variable in a query, is reached where a library looks it up; a text is neither."""

from pathlib import Path

import pytest

from modelmake.keys.reach import reach

LEAF = "import typing\n\n\nclass Settings:\n    x = 1\n\n\ndef rows(): ...\n\n\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/__init__.py").touch()
    (tmp_path / "stages/settings.py").write_text(LEAF)
    return tmp_path


def names(tree: Path, code: str) -> set[str]:
    """What `used` in a module with this code reaches."""
    (tree / "stages/leaf.py").write_text(f"{LEAF}from stages import settings\n{code}\n")
    (tree / "stages/go.py").write_text("from stages.leaf import used\nprint(used)\n")
    symbols = reach(tree, "stages.go", [], ("stages",)).symbols
    return {f"{module}.{name}" for module in ("stages.leaf", "stages.settings") for name in symbols[module] if name}


@pytest.mark.parametrize(
    "code",
    ["def used(x: 'Settings'): ...", "def used(x: list['Settings']): ...", "def used() -> dict[str, 'Settings']: ...",
     "def used(x: 'list[\"Settings\"]'): ...", "def used(x: typing.Annotated['Settings', 3]): ...",
     "class used:\n    x: list['Settings']", "def used():\n    class A:\n        x: 'int | Settings'\n    return A",
     "used = typing.Optional['Settings']", "used = typing.ForwardRef('Settings')", "used = list['Settings']",
     "used = typing.TypeVar('used', bound='Settings')", "used = typing.NamedTuple('A', [('x', 'Settings')])",
     "used = typing.TypedDict('A', {'x': 'Settings'})", "used = print(tuple['Settings', ...])"],
)  # fmt: skip
def test_a_type_in_quotes_is_reached(tree: Path, code: str) -> None:
    assert names(tree, code) == {"stages.leaf.used", "stages.leaf.Settings"}


def test_a_type_in_quotes_is_found_through_imports(tree: Path) -> None:
    assert names(tree, "def used(x: list['settings.Settings']): ...") == {
        "stages.leaf.used",
        "stages.settings.Settings",
    }


@pytest.mark.parametrize(
    "code",
    ["def used(x: typing.Literal['rows', 'settings']): ...", "used = {'a': 1}.get('rows')",
     "def used(x: typing.Annotated[int, 'rows']): ...", "def used(x): return x['rows'], x['settings']",
     "def used(x: 'a text, no type'): ..."],
)  # fmt: skip
def test_a_text_is_no_type(tree: Path, code: str) -> None:
    assert names(tree, code) == {"stages.leaf.used"}


@pytest.mark.parametrize(
    "code",
    ["def used(table): return table.query('x > @LIMIT')", "def used(table): return table.eval('y = x * @LIMIT')",
     "QUERY = 'x > @LIMIT'\ndef used(table): return table.query(QUERY)",
     "import pandas\ndef used(): return pandas.eval('LIMIT + 1')",
     "from duckdb import sql\ndef used(): return sql('select * from LIMIT where x > 1')",
     "import numexpr as ne\ndef used(x): return ne.evaluate('x * LIMIT')"],
)  # fmt: skip
def test_a_variable_that_a_query_names_is_reached(tree: Path, code: str) -> None:
    assert names(tree, f"LIMIT = 3\n{code}") >= {"stages.leaf.used", "stages.leaf.LIMIT"}


def test_a_variable_of_a_query_is_found_through_imports(tree: Path) -> None:
    code = "from stages.settings import rows\ndef used(table): return table.query('x in @rows')"
    assert names(tree, code) >= {"stages.leaf.used", "stages.settings.rows"}


@pytest.mark.parametrize("code", ["return table.query('x > LIMIT')", "return table.eval()", "return 'LIMIT'"])
def test_a_name_in_another_text_is_no_variable(tree: Path, code: str) -> None:
    assert names(tree, f"LIMIT = 3\ndef used(table): {code}") == {"stages.leaf.used"}
