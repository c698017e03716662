"""The symbols of a module: each top-level function, class and constant, hashed, with the names it uses.

Source is parsed, never imported. All other top-level statements are the module's side effects, under the name
`EFFECTS`. A constant or decorated definition that calls something not known to be pure counts as a side effect too: it
may register something.
"""

import ast
import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from modelmake.errors import UserError
from modelmake.keys import bytecode, imports, order, purity, unnamed
from modelmake.keys.imports import Aliases, Statement

EFFECTS = ""  # the name of a module's side effects
MAIN = "__main__"  # the name of the statements that run only in the program itself
HOOKS = ("__init_subclass__", "__set_name__", "__mro_entries__")


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
    lookup: str  # why its names do not tell what it reaches in its own module; empty where they do
    everything: str  # the same of all loaded modules
    text: str  # hash of its lines and their numbers
    reads_texts: bool  # reads the text of code, of whatever symbol


@dataclass(frozen=True)
class Module:
    """A module's symbols and imports."""

    symbols: dict[str, Symbol]
    aliases: Aliases
    imports: tuple[str, ...]  # modules loaded with this one, in order
    starred: frozenset[str]  # modules of which it imports every name
    has_effects: bool


def parse(source: bytes, name: str, is_package: bool, packages: tuple[str, ...]) -> Module:
    """The module `name` with this source; `packages` are the first-party ones.

    Raises:
        SyntaxError: the source is not Python.
    """
    package = name if is_package else name.rpartition(".")[0]
    tree, lines = ast.parse(source), source.splitlines()
    definitions: dict[str, list[ast.stmt]] = {}
    effects: list[ast.stmt] = []
    main: list[ast.stmt] = []
    import_statements: list[Statement] = []
    run = list(_run_on_import(bytecode.normalise(tree.body), main))
    for statement in run:
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

    def symbol(statements: list[ast.stmt], *also: object) -> Symbol:
        return _symbol(statements, package, packages, aliases, lines, also)

    symbols = {bound_name: symbol(statements) for bound_name, statements in definitions.items()}
    futures = [a.name for s in import_statements if getattr(s, "module", "") == "__future__" for a in s.names]
    also = [*order.of(run, effects), *sorted(futures)]
    module_text = hashlib.sha256(source).hexdigest()[:16]
    symbols[EFFECTS] = replace(symbol(sorted(effects, key=lambda s: s.lineno), *also), text=module_text)
    symbols[MAIN] = symbol(main)
    loaded, starred = imports.loaded(import_statements, package), imports.starred(import_statements, package)
    return Module(symbols, aliases, loaded, starred, bool(effects))


def file_hash(path: Path) -> str:
    """The hash of all code in a file.

    Raises:
        UserError: the file is not Python.
    """
    with syntax_errors(path):
        body = bytecode.normalise(ast.parse(path.read_bytes()).body)
        return bytecode.digest(bytecode.compiled(body))


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
    if any(isinstance(node, ast.NamedExpr) for node in ast.walk(statement)):
        return []
    targets: list[ast.expr] = []
    if isinstance(statement, ast.AnnAssign) and statement.value:
        targets = [statement.target]
    elif isinstance(statement, ast.Assign):
        targets = [e for t in statement.targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [t.id for t in targets] if all(isinstance(t, ast.Name) for t in targets) else []


def _symbol(
    statements: list[ast.stmt], package: str, packages: tuple[str, ...], outer: Aliases, lines: list[bytes],
    also: tuple[object, ...],
) -> Symbol:  # fmt: skip
    """The symbol of statements in a module with the aliases `outer`. What is in `also` counts for its hash."""
    nodes = list(ast.walk(ast.Module(statements, [])))
    codes = bytecode.compiled(statements)
    inner_imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    literal = {module for node in nodes for module in unnamed.literal_import(node)}  # used as values, like names
    aliases = imports.aliases(inner_imports, package) | {module: frozenset([module]) for module in literal}
    global_names = {name for code in codes for name in bytecode.global_names(code)} | aliases.keys()
    chains = [chain for chain in _chains(nodes) if chain[0] in global_names]
    dotted = {".".join([d, *rest]) for first, *rest in chains for d in (aliases | outer).get(first, [first])}
    classes = [node for node in statements if isinstance(node, ast.ClassDef)]
    text = _text(statements, lines)
    used = sorted((name, sorted(outer[name])) for name in {chain[0] for chain in chains} & outer.keys())
    own = [used, *also, *([text] if unnamed.sees_locals(nodes) else [])]
    return Symbol(
        hash=bytecode.digest(codes, *own),
        names=frozenset(chains) | {(name,) for name in literal},
        aliases=aliases,
        imports=frozenset(imports.loaded(inner_imports, package)) | literal,
        strings=frozenset(n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)),
        bases=frozenset(chain for c in classes for base in c.bases if (chain := _chain(base))),
        hooks=any(_has_hook(c) for c in classes),
        lookup=unnamed.lookup(nodes),
        everything=unnamed.everything(nodes, dotted, packages),
        text=text,
        reads_texts=unnamed.reads_texts(nodes, dotted),
    )


def _text(statements: list[ast.stmt], lines: list[bytes]) -> str:
    """16 hex digits over the lines of statements, with their numbers."""
    spans = [(min(s.lineno, *(d.lineno for d in getattr(s, "decorator_list", ())), s.lineno), s.end_lineno)
             for s in statements]  # fmt: skip
    return hashlib.sha256(repr([(first, lines[first - 1 : last]) for first, last in spans]).encode()).hexdigest()[:16]


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
    names = {getattr(s, "name", "") for s in definition.body} | {
        node.id for s in definition.body for node in ast.walk(s)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }  # fmt: skip
    return any(k.arg == "metaclass" for k in definition.keywords) or not names.isdisjoint(HOOKS)
