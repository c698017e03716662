"""What of the harness is in the keys is declared, and holds: what decides what `main` sees is, what carries is not.

A module that is new in the harness fails here until one of the tables names it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelmake.keys import stage_key
from modelmake.keys.carrying import CARRYING, CUT, DECIDING, ENTRIES, Cut
from modelmake.keys.reach import Reached, reach, surroundings

ROOT = Path(__file__).parents[3]
DECIDES = {
    "modelmake", "modelmake.errors", "modelmake.identity", "modelmake.params", "modelmake.running",
    "modelmake.running.arguments", "modelmake.running.main_call", "modelmake.running.sandbox",
    "modelmake.running.threads", "modelmake.signature",
}  # fmt: skip
# Symbols of deciding modules that carrying code alone calls: what they return is in the key, or in the parameters.
CALLED_BY_CARRYING_CODE = {"modelmake.params.selected_code"}
# Of `os`, `sys` and the like, what changes nothing that `main` could see. What is not here has to be looked at first.
HARMLESS = {
    "os": {
        "O_ACCMODE", "O_CREAT", "O_RDONLY", "O_RDWR", "O_WRONLY", "close", "curdir", "environ", "fsdecode", "fstat",
        "ftruncate", "getpid", "kill", "link", "open", "path", "pread", "pwrite", "read", "replace", "sep", "stat",
        "utime", "walk", "write",
    },
    "sys": {
        "_getframe", "addaudithook", "argv", "base_prefix", "exit", "modules", "path", "platform", "prefix", "stderr",
        "stdlib_module_names", "version",
    },
    "signal": {"SIGKILL"},
    "resource": {"RUSAGE_CHILDREN", "RUSAGE_SELF", "getrusage"},
}  # fmt: skip
NEVER = {  # modules whose use changes a process, or may
    "asyncio", "atexit", "builtins", "ctypes", "decimal", "faulthandler", "gc", "importlib", "locale", "logging",
    "multiprocessing", "random", "site", "subprocess", "tracemalloc", "warnings",
}  # fmt: skip
CHANGING = {"append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "sort", "update"}


@pytest.fixture(scope="module")
def deciding() -> Reached:
    return surroundings(ROOT, stage_key.FIRST_PARTY, CUT)


@pytest.fixture(scope="module")
def whole_harness() -> Reached:
    """All that the harness reaches, whether it is in keys or not."""
    return surroundings(ROOT, stage_key.FIRST_PARTY, Cut({}, dict(ENTRIES) | DECIDING, {}))


def carrying_modules(harness: Reached) -> list[str]:
    return sorted(name for name in harness.symbols if CUT.carries(name))


def path(module: str) -> Path:
    base = ROOT.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def test_these_modules_decide_what_main_sees(deciding: Reached) -> None:
    assert set(deciding.symbols) == DECIDES
    assert all(name.rpartition(".")[2] in deciding.symbols[name.rpartition(".")[0]] for name in DECIDING)


def test_every_module_of_the_harness_decides_or_carries_and_none_does_both(
    deciding: Reached, whole_harness: Reached
) -> None:
    assert set(whole_harness.symbols) == DECIDES | set(carrying_modules(whole_harness))
    assert not DECIDES & set(carrying_modules(whole_harness))
    unused = {name for name in CARRYING if not any(Cut(carrying={name: ""}).carries(m) for m in whole_harness.symbols)}
    assert not unused, "of the table CARRYING the harness does not reach"


def test_no_deciding_code_is_reached_through_carrying_code_alone(deciding: Reached, whole_harness: Reached) -> None:
    missed = {
        f"{module}.{symbol}"
        for module in DECIDES
        for symbol in whole_harness.symbols[module].keys() - deciding.symbols[module].keys()
    }

    assert missed == CALLED_BY_CARRYING_CODE


def test_carrying_code_imports_no_package_that_sets_up_a_process(deciding: Reached, whole_harness: Reached) -> None:
    standard = set(stage_key.locked_packages.sys.stdlib_module_names)
    packages = {name.partition(".")[0] for name in whole_harness.imports.keys() - deciding.imports.keys()} - standard

    assert packages == {"__main__", "psutil"}


def test_carrying_code_changes_nothing_that_main_could_see(whole_harness: Reached) -> None:
    changes = {f"{module}: {line}" for module in carrying_modules(whole_harness) for line in process_changes(module)}

    assert changes == set()


def process_changes(module: str) -> Iterator[str]:
    """What a module does to its process, a phrase each."""
    tree = ast.parse(path(module).read_bytes())
    for node in ast.walk(tree):
        imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in imported:
            if name.partition(".")[0] in NEVER or (isinstance(node, ast.ImportFrom) and name in HARMLESS):
                yield f"line {node.lineno} imports {name}"
        written = node.targets if isinstance(node, ast.Assign | ast.Delete) else []
        written = [*written, node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else written
        for target in written:
            if (chain := dotted(target)) and chain.partition(".")[0] in {*HARMLESS, "cwd"}:
                yield f"line {node.lineno} writes {chain}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            allowed = HARMLESS.get(node.value.id)
            if allowed is not None and node.attr not in allowed:
                yield f"line {node.lineno} uses {node.value.id}.{node.attr}"
        if isinstance(node, ast.Call) and (chain := dotted(node.func)).rpartition(".")[2] in CHANGING:
            if chain.partition(".")[0] in HARMLESS:
                yield f"line {node.lineno} calls {chain}"


def dotted(node: ast.expr) -> str:
    """`os.environ` of `os.environ["NAME"]` and the like; "" for other expressions."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        parts += [node.attr] if isinstance(node, ast.Attribute) else []
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
