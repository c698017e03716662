"""A module parsed by one process is not parsed again by the next, unless it or the parser changed."""

from pathlib import Path

import pytest

from modelmake.keys import parse_cache, stage_key, symbols
from modelmake.keys.reach import reach
from modelmake.keys.symbols import Module
from modelmake.running import state_dir
from tests.conftest import ROOT

CODE = "RATE = 1e-4\n\n\ndef scaled(x):\n    return x * RATE\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module, in a process that has parsed nothing."""
    file = tmp_path / "module.py"
    file.write_text(CODE)
    monkeypatch.setattr(parse_cache, "_modules", {})
    monkeypatch.setattr(parse_cache, "_read", set())
    return file


def read(file: Path) -> Module:
    return parse_cache.read(file, "stages.module", ("stages",))


def cache(module: Path) -> Path:
    return state_dir.folder(module.parent) / parse_cache.FILE


def parsed_again(module: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """True if another process, which loads the cache first, parses the module."""
    calls = []
    parse = symbols.parse
    monkeypatch.setattr(parse_cache, "_modules", {})
    monkeypatch.setattr(symbols, "parse", lambda *arguments: calls.append(arguments) or parse(*arguments))
    parse_cache.load(module.parent)
    read(module)
    return bool(calls)


def test_the_next_process_does_not_parse(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = read(module)
    parse_cache.save(module.parent)

    assert not parsed_again(module, monkeypatch)
    assert read(module) == result
    assert [file.name for file in cache(module).parent.iterdir()] == [parse_cache.FILE], "no partial file is left"


@pytest.mark.parametrize("code", [CODE.replace("1e-4", "1e-5"), ""])
def test_other_code_is_parsed(module: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    read(module)
    parse_cache.save(module.parent)
    module.write_text(code)

    assert parsed_again(module, monkeypatch)


def flipped(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


@pytest.mark.parametrize("damage", [flipped, lambda content: content[:40], lambda content: b""])
def test_a_damaged_cache_counts_as_empty(module: Path, monkeypatch: pytest.MonkeyPatch, damage) -> None:
    read(module)
    parse_cache.save(module.parent)
    cache(module).write_bytes(damage(cache(module).read_bytes()))

    assert parsed_again(module, monkeypatch)


def test_a_cache_of_another_python_counts_as_empty(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(module)
    parse_cache.save(module.parent)
    monkeypatch.setattr(parse_cache.sys, "version", "4.0")

    assert parsed_again(module, monkeypatch)


def test_a_cache_of_another_parser_counts_as_empty(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(module)
    parse_cache.save(module.parent)
    other = tmp_path / "purity.py"
    other.write_text("# edited")
    monkeypatch.setattr(parse_cache, "PARSERS", (*parse_cache.PARSERS[:-1], str(other)))

    assert parsed_again(module, monkeypatch)


def test_every_module_that_decides_what_is_parsed_is_in_the_seal() -> None:
    """All that the parser imports of this project, other than the error it raises."""
    program = reach(ROOT, "modelmake.keys.symbols", [], stage_key.FIRST_PARTY).symbols.keys()
    modules = program - {"modelmake", "modelmake.errors", "modelmake.keys"}

    sealed = {".".join(Path(file).relative_to(ROOT).with_suffix("").parts) for file in parse_cache.PARSERS}
    assert sealed == modules | {"modelmake.keys.parse_cache"}


def test_only_modules_that_were_read_are_saved(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(module)
    module.write_text("RATE = 1\n")
    monkeypatch.setattr(parse_cache, "_read", set())
    read(module)
    parse_cache.save(module.parent)

    module.write_text(CODE)
    assert parsed_again(module, monkeypatch)


def test_a_cache_that_cannot_be_written_is_no_failure(module: Path) -> None:
    read(module)
    cache(module).parent.parent.mkdir(parents=True)
    cache(module).parent.touch()  # a file in the place of the folder

    parse_cache.save(module.parent)

    assert read(module)
