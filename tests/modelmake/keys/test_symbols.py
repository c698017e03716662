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


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of CODE, in a process that has parsed nothing."""
    file = tmp_path / "module.py"
    file.write_text(CODE)
    monkeypatch.setattr(symbols, "_parsed", {})
    monkeypatch.setattr(symbols, "_used", set())
    return file


def read(file: Path) -> symbols.Module:
    return symbols.read(file, "stages.module", ("stages",))


def parsed_again(file: Path, memory: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether another process, which recalls `memory` first, parses the file."""
    again = []
    parse = symbols._parse
    monkeypatch.setattr(symbols, "_parsed", {})
    monkeypatch.setattr(symbols, "_parse", lambda *arguments: again.append(arguments) or parse(*arguments))
    symbols.recall(memory)
    read(file)
    return bool(again)


def test_what_one_process_parsed_the_next_one_need_not(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = module.with_name("parsed")
    found = read(module)
    symbols.remember(memory)

    assert not parsed_again(module, memory, monkeypatch)
    assert read(module) == found
    assert [file.name for file in module.parent.iterdir()] != [] and not list(module.parent.glob("parsed.*"))


@pytest.mark.parametrize("change", [lambda f: f.write_text(CODE.replace("1e-4", "1e-5")), lambda f: f.write_text("")])
def test_other_code_is_parsed(module: Path, monkeypatch: pytest.MonkeyPatch, change) -> None:
    memory = module.with_name("parsed")
    read(module)
    symbols.remember(memory)
    change(module)

    assert parsed_again(module, memory, monkeypatch)


def flipped(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


@pytest.mark.parametrize("spoil", [flipped, lambda content: content[:40], lambda content: b""])
def test_a_memory_that_is_damaged_or_of_other_code_is_none(
    module: Path, monkeypatch: pytest.MonkeyPatch, spoil: object
) -> None:
    memory = module.with_name("parsed")
    read(module)
    symbols.remember(memory)
    whole = memory.read_bytes()
    memory.write_bytes(spoil(whole))
    assert parsed_again(module, memory, monkeypatch)

    memory.write_bytes(whole)
    monkeypatch.setattr(symbols.sys, "version", "4.0")
    assert parsed_again(module, memory, monkeypatch)


def test_a_memory_holds_only_what_was_read_since(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = module.with_name("parsed")
    read(module)
    module.write_text("RATE = 1\n")
    monkeypatch.setattr(symbols, "_used", set())
    read(module)
    symbols.remember(memory)

    module.write_text(CODE)
    assert parsed_again(module, memory, monkeypatch)


def test_a_memory_that_cannot_be_written_is_no_failure(module: Path) -> None:
    read(module)

    symbols.remember(module / "below a file")

    assert read(module)
