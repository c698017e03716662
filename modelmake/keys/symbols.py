"""The symbols of a module: each top-level function, class and constant, hashed, with the names it uses.

Source is parsed, never imported. All other top-level statements are the module's side effects, under the name
`EFFECTS`. A constant or decorated definition that calls something not known to be pure counts as a side effect too: it
may register something.
"""

import ast
import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from modelmake.errors import UserError
from modelmake.keys import bytecode, imports, purity
from modelmake.keys.imports import Aliases, Statement

EFFECTS = ""  # the name of a module's side effects
MAIN = "__main__"  # the name of the statements that run only in the program itself
EVERYTHING = "looks into sys.modules"  # the reason for taking every loaded module whole
DYNAMIC = frozenset(["__import__", "eval", "exec", "globals"])  # builtins that look names up


@dataclass(frozen=True)
class Symbol:
    """The top-level statements that bind a name."""

    hash: str
    names: frozenset[tuple[str, ...]]  # global names it reads, with the attributes after them
    aliases: Aliases  # of imports inside it
    imports: frozenset[str]  # modules loaded by imports inside it
    strings: frozenset[str]
    bases: frozenset[tuple[str, ...]]  # of a class
    hooks: bool  # a class that runs code when it is subclassed
    dynamic: str  # why its names do not tell what it reaches; empty where they do


@dataclass(frozen=True)
class Module:
    """A module's symbols and imports."""

    symbols: dict[str, Symbol]
    aliases: Aliases
    imports: frozenset[str]  # modules loaded with this one
    starred: frozenset[str]  # modules of which it imports every name


def parse(source: bytes, name: str, is_package: bool, packages: tuple[str, ...]) -> Module:
    """The module `name` with this source; `packages` are the first-party ones.

    Raises:
        SyntaxError: the source is not Python.
    """
    package = name if is_package else name.rpartition(".")[0]
    definitions: dict[str, list[ast.stmt]] = {}
    effects: list[ast.stmt] = []
    main: list[ast.stmt] = []
    import_statements: list[Statement] = []
    for statement in _run_on_import(bytecode.normalise(ast.parse(source).body), main):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            import_statements.append(statement)
        elif bound := _bound_names(statement):
            for bound_name in bound:
                definitions.setdefault(bound_name, []).append(statement)
        else:
            effects.append(statement)
    nested = [node for s in effects for node in ast.walk(s) if isinstance(node, ast.Import | ast.ImportFrom)]
    aliases = imports.aliases([*import_statements, *nested], package)
    distinct = {id(s): s for statements in definitions.values() for s in statements}.values()
    effects += [s for s in distinct if not purity.only_binds(s, aliases, packages)]
    symbols = {bound_name: _symbol(statements, package, packages) for bound_name, statements in definitions.items()}
    symbols[EFFECTS] = _symbol(sorted(effects, key=lambda s: s.lineno), package, packages)
    symbols[MAIN] = _symbol(main, package, packages)
    loaded, starred = imports.loaded(import_statements, package), imports.starred(import_statements, package)
    return Module(symbols, aliases, loaded, starred)


def file_hash(path: Path) -> str:
    """The hash of all code in a file.

    Raises:
        UserError: the file is not Python.
    """
    with syntax_errors(path):
        return _symbol(bytecode.normalise(ast.parse(path.read_bytes()).body), "", ()).hash


@contextlib.contextmanager
def syntax_errors(path: Path) -> Iterator[None]:
    """Turns a SyntaxError in a file into a UserError that names the line."""
    try:
        yield
    except SyntaxError as error:
        raise UserError(f"{path}:{error.lineno}: {error.msg}: not valid Python; mend it") from None


def _run_on_import(body: list[ast.stmt], main: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Top-level statements that an import runs; those that run only in the program are added to `main`."""
    for statement in body:
        test = ast.unparse(statement.test) if isinstance(statement, ast.If) else ""
        if test == "__name__ == '__main__'":
            main += statement.body
        elif test in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            yield from statement.orelse
        else:
            yield statement


def _bound_names(statement: ast.stmt) -> list[str]:
    """The names that a definition or a plain assignment binds; none for any other statement."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets: list[ast.expr] = []
    if isinstance(statement, ast.AnnAssign) and statement.value:
        targets = [statement.target]
    elif isinstance(statement, ast.Assign):
        targets = [e for t in statement.targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [t.id for t in targets] if all(isinstance(t, ast.Name) for t in targets) else []


def _symbol(statements: list[ast.stmt], package: str, packages: tuple[str, ...]) -> Symbol:
    nodes = list(ast.walk(ast.Module(statements, [])))
    lookups = [node for node in nodes if isinstance(node, (ast.Call, ast.Subscript))]
    codes = bytecode.compiled(statements)
    inner_imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    literal = {module for node in lookups for module in _literal_import(node)}  # used as values, like names
    aliases = imports.aliases(inner_imports, package) | {module: frozenset([module]) for module in literal}
    global_names = {name for code in codes for name in bytecode.global_names(code)} | aliases.keys()
    classes = [node for node in statements if isinstance(node, ast.ClassDef)]
    return Symbol(
        hash=bytecode.digest(codes),
        names=frozenset(chain for chain in _chains(nodes) if chain[0] in global_names) | {(name,) for name in literal},
        aliases=aliases,
        imports=imports.loaded(inner_imports, package) | literal,
        strings=frozenset(n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)),
        bases=frozenset(chain for c in classes for base in c.bases if (chain := _chain(base))),
        hooks=any(_has_hook(c) for c in classes),
        dynamic=next((reason for node in lookups if (reason := _dynamic(node, packages))), ""),
    )


def _chains(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ...]]:
    """The longest dotted names; `nodes` come outer ones first, as from `ast.walk`."""
    inner: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, (ast.Name, ast.Attribute)) and node not in inner and (chain := _chain(node)):
            yield chain
        if isinstance(node, ast.Attribute):
            inner.add(node.value)


def _chain(node: ast.AST) -> tuple[str, ...]:
    """The parts of a dotted name `a.b.c` that is read; empty for any other expression."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    is_read = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    return (node.id, *reversed(attributes)) if is_read else ()


def _has_hook(definition: ast.ClassDef) -> bool:
    """True for a class that runs code of its own when it is subclassed."""
    return any(k.arg == "metaclass" for k in definition.keywords) or any(
        isinstance(s, ast.FunctionDef) and s.name in ("__init_subclass__", "__set_name__") for s in definition.body
    )


def _dynamic(node: ast.AST, packages: tuple[str, ...]) -> str:
    """The reason why names do not tell what a call or subscript reaches; empty where they do."""
    called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    if called in DYNAMIC or (called in ("dir", "locals", "vars") and not node.args):
        return f"calls {called}()"
    looked_up = None
    if isinstance(node, ast.Call) and _chain(node.func)[:2] == ("sys", "modules"):
        looked_up = node.args[0] if node.args else node
    elif isinstance(node, ast.Subscript) and _chain(node.value) == ("sys", "modules"):
        looked_up = node.slice
    third_party = isinstance(looked_up, ast.Constant) and str(looked_up.value).partition(".")[0] not in packages
    return EVERYTHING if looked_up and not third_party else ""


def _literal_import(node: ast.AST) -> list[str]:
    """The module of `importlib.import_module("its.name")`."""
    if isinstance(node, ast.Call) and _chain(node.func)[-1:] == ("import_module",) and len(node.args) == 1:
        argument = node.args[0]
        return [argument.value] if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else []
    return []
