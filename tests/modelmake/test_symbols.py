"""The hash of a symbol changes with what the interpreter runs, and with nothing else."""

import textwrap
from pathlib import Path

import pytest

from modelmake import symbols

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


def hashes(tmp_path: Path, code: str) -> dict[str, str]:
    file = tmp_path / "module.py"
    file.write_text(textwrap.dedent(code))
    return {name: symbol.hash for name, symbol in symbols.read(file, "stages.module", ("stages",)).symbols.items()}


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
def test_what_does_not_change_what_runs_keeps_every_hash(tmp_path: Path, old: str, new: str) -> None:
    assert old in CODE
    assert hashes(tmp_path, CODE.replace(old, new)) == hashes(tmp_path, CODE)


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
        ("rate", "speed", {"mean"}),  # callers name it
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
def test_what_changes_what_runs_changes_the_hash_of_its_symbol_alone(
    tmp_path: Path, old: str, new: str, changed: set[str]
) -> None:
    assert old in CODE
    before, after = hashes(tmp_path, CODE), hashes(tmp_path, CODE.replace(old, new))
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == changed


def test_a_number_and_a_truth_are_not_the_same_constant(tmp_path: Path) -> None:
    assert (
        len({hashes(tmp_path, f"X = {value}")["X"] for value in ("1", "True", "1.0", "'1'", "b'1'", "-0.0", "0.0")})
        == 7
    )


def test_statements_that_bind_the_same_name_go_together(tmp_path: Path) -> None:
    first = hashes(tmp_path, "X = 1\nX = X + 1\n")

    assert set(first) == {"", "__main__", "X"}
    assert hashes(tmp_path, "X = 2\nX = X + 1\n")["X"] != first["X"]
    assert hashes(tmp_path, "X, Y = 1, 2\n").keys() == {"", "__main__", "X", "Y"}


def test_what_only_a_program_runs_is_apart(tmp_path: Path) -> None:
    before = hashes(tmp_path, "if __name__ == '__main__':\n    print(1)\n")

    after = hashes(tmp_path, "if __name__ == '__main__':\n    print(2)\n")

    assert {name for name in before if before[name] != after[name]} == {"__main__"}


NESTED = """
def outer(kind):
    try:
        match kind:
            case 1:
                def inner(a: "int", *rest: "str", **more: "list[str]") -> "float":
                    'Told.'
                    return a
    except ValueError:
        class Failed:
            'Told.'
            size: "int" = 3
    else:
        inner = None
    return inner
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [("'Told.'", "'Told otherwise.'"), ('"int"', "int"), ('"list[str]"', "list[str]"), ('"float"', "float")],
)
def test_docstrings_and_quotes_of_annotations_count_at_no_depth(tmp_path: Path, old: str, new: str) -> None:
    assert hashes(tmp_path, NESTED.replace(old, new)) == hashes(tmp_path, NESTED)


def test_an_annotation_that_says_something_else_counts_at_any_depth(tmp_path: Path) -> None:
    assert hashes(tmp_path, NESTED.replace('"list[str]"', '"list[int]"')) != hashes(tmp_path, NESTED)
