"""The symbols of a module: each top-level function, class and constant, hashed, with the names it uses.

Source is parsed, never imported. All other top-level statements are the module's side effects, under the name
`EFFECTS`. A constant or decorated definition that calls something not known to be pure counts as a side effect too: it
may register something.
"""

import ast
import contextlib
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from modelmake.errors import UserError
from modelmake.keys import bytecode, imports, order, purity, quoted, unnamed
from modelmake.keys.imports import Aliases, Statement

EFFECTS = ""  # the name of a module's side effects
MAIN = "__main__"  # the name of the statements that run only in the program itself
MANGLED = re.compile(r"_[^\W_]\w*?__\w*?[^\W_]_?$")  # how `__name` of the module is read within a class


@dataclass(frozen=True)
class Symbol:
    """The top-level statements that bind a name."""

    hash: str
    names: frozenset[tuple[str, ...]]  # global names it reads, with the attributes after them
    aliases: Aliases  # of imports inside it
    imports: frozenset[str]  # modules loaded by imports inside it
    installed: frozenset[str]  # packages that it asks about: `unnamed.installed`
    strings: frozenset[str]
    bases: frozenset[tuple[str, ...]]  # of a class, and of the classes in it
    hooks: bool  # code runs, or may run, when it is subclassed
    lookup: str  # why its names do not tell what it reaches in its own module; empty where they do
    everything: str  # the same of all loaded modules
    text: str  # hash of its lines and their numbers
    kept_compiled: bool  # numba keeps its compiled code on disk
    reads_texts: bool  # reads the text of code, of whatever symbol


@dataclass(frozen=True)
class Module:
    """A module's symbols and imports."""

    symbols: dict[str, Symbol]
    aliases: Aliases
    imports: tuple[str, ...]  # modules loaded with this one, in order
    starred: frozenset[str]  # modules of which it imports every name
    sequence: tuple[str, ...]  # the symbols in the order of their statements, `EFFECTS` where there is a side effect


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
    run = list(_run_on_import(bytecode.normalise(tree.body), main, imports.checking(tree.body)))
    for statement in run:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            import_statements.append(statement)
        elif bound := _bound_names(statement):
            for bound_name in bound:
                definitions.setdefault(bound_name, []).append(statement)
        else:
            effects.append(statement)
    setting = [s for s in run if b"global" in source and any(isinstance(node, ast.Global) for node in ast.walk(s))]
    nested = [n for s in (*effects, *main, *setting) for n in ast.walk(s) if isinstance(n, Statement)]
    aliases = imports.aliases([*import_statements, *nested], package)
    loaded, starred = imports.loaded(import_statements, package), imports.starred(import_statements, package)
    bound = {*definitions, *purity.stored(effects), *(purity.NAMES if starred else ())}
    names = purity.Names(aliases, packages, bound)
    distinct = {id(s) for statements in definitions.values() for s in statements}
    effects += [s for s in run if not names.only_binds(s) and id(s) in distinct]
    impure = set(map(id, effects))

    def symbol(statements: list[ast.stmt], *also: object) -> Symbol:
        hooks = any(
            id(s) in impure or not isinstance(s, ast.ClassDef) or _has_hook(s) or names.is_enumeration(s)
            for s in statements
        )
        return _symbol(statements, package, packages, aliases, {*definitions}, lines, hooks, also)

    before = order.before(run, effects)
    symbols = {name: symbol(statements, *before.get(name, ())) for name, statements in definitions.items()}
    futures = [a.name for s in import_statements if getattr(s, "module", "") == "__future__" for a in s.names]
    also = [*order.of(run, effects), *sorted(futures), *sorted(_for_effects(import_statements, tree, packages))]
    module_text = hashlib.sha256(source).hexdigest()[:16]
    symbols[EFFECTS] = replace(symbol(sorted(effects, key=lambda s: s.lineno), *also), text=module_text)
    symbols[MAIN] = symbol(main)
    sequence = [name for s in run for name in ([EFFECTS] if id(s) in impure else _bound_names(s))]
    return Module(symbols, aliases, loaded, starred, tuple(sequence))


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


def _for_effects(statements: list[Statement], tree: ast.Module, packages: tuple[str, ...]) -> Iterator[str]:
    """The packages that a module imports and never names: for what their import does."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for name, origins in imports.aliases(statements, "").items():
        known = (*packages, *sys.stdlib_module_names, "")
        yield from (o for o in origins if name not in (*used, "*") and o.partition(".")[0] not in known)


def _run_on_import(body: list[ast.stmt], main: list[ast.stmt], checking: set[str]) -> Iterator[ast.stmt]:
    """Top-level statements that an import runs; those that run only in the program are added to `main`.

    `checking` are the names of `typing.TYPE_CHECKING`.
    """
    for statement in body:
        test = ast.unparse(statement.test) if isinstance(statement, ast.If) else ""
        if test == "__name__ == '__main__'" or test in checking:
            main += [] if test in checking else statement.body
            yield from _run_on_import(statement.orelse, main, checking)
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
    statements: list[ast.stmt], package: str, packages: tuple[str, ...], outer: Aliases, bound: set[str],
    lines: list[bytes], hooks: bool, also: tuple[object, ...],
) -> Symbol:  # fmt: skip
    """The symbol of statements in a module with the aliases `outer`. What is in `also` counts for its hash."""
    nodes = list(ast.walk(ast.Module(statements, [])))
    codes = bytecode.compiled(statements)
    inner_imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    literal = {module for node in nodes for module in unnamed.literal_import(node)}  # used as values, like names
    aliases = imports.aliases(inner_imports, package) | {module: frozenset([module]) for module in literal}
    known = {name: aliases.get(name, frozenset()) | outer.get(name, frozenset()) for name in aliases | outer}

    def origins(node: ast.AST) -> set[str]:
        first, *rest = _chain(node) or ("",)
        return {".".join([dotted, *rest]) for dotted in known.get(first, [first] if rest else ())}

    global_names = {name for code in codes for name in bytecode.global_names(code)}
    types = [node for expression in quoted.expressions(nodes, known) for node in ast.walk(expression)]
    chains = [chain for chain in _chains(nodes) if chain[0] in global_names | aliases.keys()] + [*_chains(types)]
    unseen = {name for name in global_names if MANGLED.match(name)} | quoted.looked_up(nodes, origins)
    chains += [(name,) for name in sorted(unseen & {*bound, *known})]
    used = unnamed.Used(
        nodes, origins, {n.id for n in nodes if isinstance(n, ast.Name)} & global_names - bound - known.keys()
    )
    classes = [node for statement in statements for node in _classes(statement)]
    text = _text(statements, lines)
    sources = sorted((name, sorted(outer[name])) for name in {chain[0] for chain in chains} & outer.keys())
    own = [sources, *also, *([text] if unnamed.sees_locals(used) else [])]
    attributes = imports.aliases([s for c in classes for s in c.body if isinstance(s, Statement)], package)
    return Symbol(
        hash=bytecode.digest(codes, *own),
        names=frozenset(chains) | {(name,) for name in literal | attributes.keys()},
        aliases=aliases,
        imports=frozenset(imports.loaded(inner_imports, package)) | literal,
        installed=frozenset(unnamed.installed(used)),
        strings=frozenset(n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)),
        bases=frozenset(chain for c in classes for base in c.bases if (chain := _chain(_unsubscripted(base)))),
        hooks=hooks,
        lookup=unnamed.lookup(used),
        everything=unnamed.everything(used, packages),
        text=text,
        kept_compiled=any(unnamed.is_kept_compiled(call, used) for call in used.calls),
        reads_texts=unnamed.reads_texts(used),
    )


def _classes(statement: ast.AST) -> Iterator[ast.ClassDef]:
    """A class that a statement defines, and those in it."""
    if isinstance(statement, ast.ClassDef):
        yield statement
        for inner in statement.body:
            yield from _classes(inner)


def _unsubscripted(base: ast.expr) -> ast.expr:
    while isinstance(base, ast.Subscript):
        base = base.value
    return base


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
    """True for a class that runs code of its own when it is subclassed, or in which another one does."""
    classes = list(_classes(definition))
    names = {getattr(s, "name", "") for c in classes for s in c.body} | {
        node.id for c in classes for s in c.body for node in ast.walk(s)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }  # fmt: skip
    has_metaclass = any(k.arg == "metaclass" for c in classes for k in c.keywords)
    return has_metaclass or not names.isdisjoint(unnamed.CLASS_HOOKS)
