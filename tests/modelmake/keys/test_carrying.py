"""What of the harness is in the keys is declared, and holds: what decides what `main` sees is, what carries is not.

A module that is new in the harness fails here until one of the tables names it.
"""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modelmake.keys import parse_cache, stage_key
from modelmake.keys.carrying import CARRYING, CUT, DECIDING, ENTRIES, Cut
from modelmake.keys.reach import Reached, surroundings
from modelmake.keys.symbols import Module

ROOT = Path(__file__).parents[3]
DECIDES = {
    "modelmake", "modelmake.artifacts", "modelmake.errors", "modelmake.identity", "modelmake.params",
    "modelmake.running", "modelmake.running.arguments", "modelmake.running.main_call",
    "modelmake.running.sandbox_layout", "modelmake.running.threads", "modelmake.running.work_folders",
    "modelmake.running.workers", "modelmake.signature",
}  # fmt: skip
# Symbols of deciding modules that carrying code alone calls: what they return is in the key, or in the parameters.
CALLED_BY_CARRYING_CODE = {
    "modelmake.artifacts.unhashed", "modelmake.params._confusable", "modelmake.params._is_open",
    "modelmake.params.selected_code", "modelmake.params.undecided", "modelmake.running.work_folders.FINISHED",
    "modelmake.running.work_folders.LOCKS",
}  # fmt: skip
# How carrying code calls what decides: with what that has decided before, or what is in the key.
CALLS = {
    "arguments.read(main, name, module, root)", "arguments.values(stage)", "main_call.links(key)",
    "main_call.identities(stage, command, box.md5s, code)", "main_call.prepare(stage, key['symbols'])",
    "main_call.call(main, stage, folder, identities, measured)", "workers.joined()",
    "workers.own_share(arguments.read(main, name, module, root), worker)", "workers.take_part(worker)",
    "sandbox_layout.inside(Path(worker.sandbox), root)",
    "sandbox_layout.fill(folder, root, paths, links)", "sandbox_layout.inside(folder, root)",
    "sandbox_layout.measured(folder, paths)",
}  # fmt: skip
# What carrying code uses of modules that reach into the process: none of it changes what `main` could see.
HARMLESS = {
    "builtins": {"__dict__"},
    "contextlib": {"contextmanager", "suppress"},
    "locale": {"getencoding"},
    "os": {
        "O_ACCMODE", "O_CREAT", "O_RDONLY", "O_RDWR", "O_WRONLY", "close", "curdir", "environ", "fsdecode", "fstat",
        "ftruncate", "getpid", "kill", "link", "open", "pardir", "path", "pathsep", "pread", "pwrite", "replace", "sep",
        "stat", "utime", "walk",
    },
    "resource": {"RUSAGE_CHILDREN", "RUSAGE_SELF", "getrusage"},
    "signal": {"SIGKILL", "Signals"},
    "sys": {
        "_getframe", "addaudithook", "argv", "base_prefix", "executable", "exit", "flags", "modules", "path",
        "platform", "prefix", "stderr", "stdlib_module_names", "version",
    },
    "threading": {"Event", "Thread"},
    "time": {"gmtime", "monotonic", "process_time", "sleep", "strftime", "time"},
}  # fmt: skip
NEVER = {  # modules that have no other use than to change the process, or to run what cannot be read here
    "asyncio", "atexit", "ctypes", "decimal", "faulthandler", "gc", "importlib", "logging",
    "multiprocessing", "random", "runpy", "site", "subprocess", "tracemalloc", "warnings",
}  # fmt: skip
STARTS = {"modelmake.running.launcher": "subprocess"}  # what starts other processes: with the environment of this one
CHANGING = {"append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "sort", "update"}


@pytest.fixture(scope="module")
def deciding() -> Reached:
    return surroundings(ROOT, stage_key.FIRST_PARTY, CUT)


@pytest.fixture(scope="module")
def whole_harness() -> Reached:
    """All that the harness reaches, whether it is in keys or not."""
    nothing_stops = Cut({}, ENTRIES | DECIDING, {})
    surroundings(ROOT, stage_key.FIRST_PARTY, nothing_stops)  # parses
    read = parse_cache.read

    def named(path: Path, name: str, packages: tuple[str, ...]) -> Module:
        module = read(path, name, packages)
        plain = {n: replace(s, everything="", reads_texts=False) for n, s in module.symbols.items()}
        return replace(module, symbols=plain)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parse_cache, "read", named)  # the harness lists sys.modules, and uses nothing of them
        return surroundings(ROOT, stage_key.FIRST_PARTY, nothing_stops)


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
    sources = {module: path(module).read_text("utf-8") for module in carrying_modules(whole_harness)}

    found = {module: list(process_changes(source)) for module, source in sources.items()}
    for module, package in STARTS.items():
        found[module] = [line for line in found[module] if not line.endswith(f" imports {package}")]

    assert {module: lines for module, lines in found.items() if lines} == {}


def test_carrying_code_passes_on_what_decides_as_it_is(whole_harness: Reached) -> None:
    nodes = [
        node for module in carrying_modules(whole_harness) for node in ast.walk(ast.parse(path(module).read_bytes()))
    ]
    roots = {".".join(name.split(".")[-2:]) for name in DECIDING}
    calls = {ast.unparse(node) for node in nodes if isinstance(node, ast.Call) and dotted(node.func) in roots}
    written = [n for n in nodes if isinstance(n, ast.Attribute | ast.Subscript) and not isinstance(n.ctx, ast.Load)]
    changed = [n.func for n in nodes if isinstance(n, ast.Call) and dotted(n.func).rpartition(".")[2] in CHANGING]

    assert calls == CALLS
    assert not [dotted(node) for node in (*written, *changed) if root_of(node) in ("stage", "box", "identities")]


@pytest.mark.parametrize(
    ("source", "change"),
    [
        ("import os\nos.environ['A'] = '1'", "line 2 writes os.environ"),
        ("import os\nos.environ.setdefault('A', '1')", "line 2 calls os.environ.setdefault"),
        ("import os\nos.chdir('/')", "line 2 uses os.chdir"),
        ("import os\nos.umask(0)", "line 2 uses os.umask"),
        ("from os import chdir", "line 1 imports from os"),
        ("import contextlib\ncontextlib.chdir('/')", "line 2 uses contextlib.chdir"),
        ("import sys\nsys.path.insert(0, 'x')", "line 2 calls sys.path.insert"),
        ("import sys\nsys.argv += ['x']", "line 2 writes sys.argv"),
        ("import sys\ndel sys.modules['x']", "line 2 writes sys.modules"),
        ("import sys\nsys.setrecursionlimit(9)", "line 2 uses sys.setrecursionlimit"),
        ("import random\nrandom.seed(0)", "line 1 imports random"),
        ("def late():\n    import gc", "line 2 imports gc"),
        ("from importlib import import_module", "line 1 imports importlib"),
        ("import json\njson.dumps = str", "line 2 writes json.dumps"),
        ("import json\nsetattr(json, 'dumps', str)", "line 2 calls setattr of json"),
        ("import signal\nsignal.signal(2, None)", "line 2 uses signal.signal"),
        ("exec('1')", "line 1 calls exec"),
        ("import os\nhere = os", "line 2 uses os as a value"),
        ("from modelmake.running import threads\nthreads.KEEP['a'] = 1", "line 2 writes threads.KEEP"),
    ],
)
def test_each_way_to_change_the_process_is_found(source: str, change: str) -> None:
    assert list(process_changes(source)) == [change]


def process_changes(source: str) -> Iterator[str]:
    """What a module does, or might do, to its process: a phrase each."""
    nodes = list(ast.walk(ast.parse(source)))
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names}
    looked_into = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.partition(".")[0] in NEVER]
            yield from (f"line {node.lineno} imports {name}" for name in names)
        elif isinstance(node, ast.ImportFrom) and node.module in NEVER:
            yield f"line {node.lineno} imports {node.module}"
        elif isinstance(node, ast.ImportFrom) and node.module in HARMLESS:
            yield f"line {node.lineno} imports from {node.module}"
        elif isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if root_of(node) in imported:
                yield f"line {node.lineno} writes {dotted(node)}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr not in HARMLESS.get(node.value.id, {node.attr}):
                yield f"line {node.lineno} uses {dotted(node)}"
        elif isinstance(node, ast.Name) and node.id in HARMLESS and id(node) not in looked_into:
            yield f"line {node.lineno} uses {node.id} as a value"
        elif isinstance(node, ast.Call):
            called = dotted(node.func).split(".")
            if called[0] in ("__import__", "eval", "exec"):
                yield f"line {node.lineno} calls {called[0]}"
            elif called[0] in imported and called[-1] in CHANGING and len(called) > 2:
                yield f"line {node.lineno} calls {'.'.join(called)}"
            elif called in (["setattr"], ["delattr"]) and root_of(node.args[0]) in imported:
                yield f"line {node.lineno} calls {called[0]} of {root_of(node.args[0])}"


def root_of(node: ast.expr) -> str:
    return dotted(node).partition(".")[0]


def dotted(node: ast.expr) -> str:
    """`os.environ` of `os.environ["NAME"]` and the like; "" for other expressions."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        parts += [node.attr] if isinstance(node, ast.Attribute) else []
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
