"""The hash of a symbol changes with what the interpreter runs, and with nothing else."""

import textwrap
from pathlib import Path

import pytest

from modelmake.keys import symbols

CODE = '''
"""A module."""

RATE = 1e-4
WORDS = {"a", "b", "c"}


def mean(values: list, *, rate: float = RATE) -> float:
    """The mean."""
    total = 0
    for value in values:
        total += value * rate  # scaled
    squares = [value**2 for value in values]
    def inner(offset):
        return offset + total
    assert squares, "some"
    return inner(len(squares)) / len(values)


class Model:
    """A model."""

    size: int = 3

    def grow(self):
        bigger = self.size + 1
        return bigger
'''


def hashes(code: str) -> dict[str, str]:
    module = symbols.parse(textwrap.dedent(code).encode(), "stages.module", False, ("stages",))
    return {name: symbol.hash for name, symbol in module.symbols.items()}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', '"""Another."""'),
        ('    """The mean."""\n', ""),
        ('    """A model."""\n', '    """A larger\n    model."""\n'),
        ("  # scaled", ""),
        ("total", "summed"),
        ("squares", "powers"),
        ("bigger", "larger"),
        ("1e-4", "0.0001"),
        ("    total = 0\n", "\n\n    total = (0)\n"),
        ('"some"', "'some'"),
        ("value**2 for value in values", "v**2 for v in values"),
    ],
)
def test_an_edit_that_does_not_change_what_runs_keeps_every_hash(old: str, new: str) -> None:
    assert old in CODE
    assert hashes(CODE.replace(old, new)) == hashes(CODE)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("1e-4", "1e-5", {"RATE"}),
        ('"c"', '"d"', {"WORDS"}),
        ("total = 0", "total = 1", {"mean"}),
        ("**2", "**3", {"mean"}),
        ("offset + total", "offset - total", {"mean"}),
        ("values: list", "values: tuple", {"mean"}),
        ("*, rate", "rate", {"mean"}),
        ("rate", "speed", {"mean"}),  # callers use the name of an argument
        ('"some"', '"none"', {"mean"}),
        ("    assert squares", "    assert not squares", {"mean"}),
        ("size: int = 3", "size: int = 4", {"Model"}),
        ("size: int = 3", "size: float = 3", {"Model"}),
        ("size", "width", {"Model"}),
        ("self.size + 1", "self.size + 2", {"Model"}),
        ("class Model:", "class Model(dict):", {"Model"}),
        ("RATE = 1e-4\n", "RATE = 1e-4\nprint()\n", {""}),
    ],
)
def test_an_edit_that_changes_what_runs_changes_the_hash_of_its_symbol_alone(
    old: str, new: str, changed: set[str]
) -> None:
    assert old in CODE
    before, after = hashes(CODE), hashes(CODE.replace(old, new))
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == changed


def test_statements_that_bind_the_same_name_are_one_symbol() -> None:
    first = hashes("X = 1\nX = X + 1\n")

    assert set(first) == {"", "__main__", "X"}
    assert hashes("X = 2\nX = X + 1\n")["X"] != first["X"]
    assert hashes("X, Y = 1, 2\n").keys() == {"", "__main__", "X", "Y"}


def test_code_that_only_the_program_runs_is_a_symbol_of_its_own() -> None:
    before = hashes("if __name__ == '__main__':\n    print(1)\n")
    after = hashes("if __name__ == '__main__':\n    print(2)\n")

    assert {name for name in before if before[name] != after[name]} == {"__main__"}


NESTED = """
def outer(kind):
    try:
        match kind:
            case 1:
                def inner(a: "int", *rest: "str", **more: "list[str]") -> "float":
                    'Doc.'
                    return a
    except ValueError:
        class Failed:
            'Doc.'
            size: "int" = 3
    else:
        inner = None
    return inner
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [("'Doc.'", "'Another.'"), ('"int"', "int"), ('"list[str]"', "list[str]"), ('"float"', "float")],
)
def test_docstrings_and_quotes_of_annotations_count_at_no_depth(old: str, new: str) -> None:
    assert old in NESTED
    assert hashes(NESTED.replace(old, new)) == hashes(NESTED)


def test_another_annotation_counts_at_any_depth() -> None:
    assert hashes(NESTED.replace('"list[str]"', '"list[int]"')) != hashes(NESTED)


def test_the_hash_of_a_file_ignores_comments(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text(CODE)
    before = symbols.file_hash(file)

    file.write_text(f"# a remark\n{CODE}")
    assert symbols.file_hash(file) == before

    file.write_text(CODE.replace("1e-4", "1e-5"))
    assert symbols.file_hash(file) != before
