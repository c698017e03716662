"""One module as its symbols: what each top-level name is bound to, hashed, with all that it names. Nothing is imported.

A symbol is a top-level function, class or constant. What else stands at a module's top level are its side effects,
under the name "". A constant or decorated definition that calls what is not known to be pure counts as a side effect
too: it may register something. The hash is that of what the interpreter runs, so that comments, docstrings,
formatting, the spelling of numbers and names of locals do not count; it holds for one minor version of Python.
"""

import ast
import contextlib
import hashlib
import os
import sys
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from modelmake.errors import UserError
from modelmake.keys import imports
from modelmake.keys.imports import Aliases, Statement

EFFECTS = ""  # the name of a module's side effects
MAIN = "__main__"  # the name of what runs only where the module is the program
EVERYTHING = "looks into sys.modules"  # why every loaded module is taken whole
# Whose calls at import change nothing elsewhere: a constant that calls only these is taken when it is reached.
PURE = frozenset([
    "abc", "ast", "collections", "contextlib", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools",
    "itertools", "math", "msgspec", "operator", "pathlib", "re", "string", "types", "typing",
])  # fmt: skip
PURE_BUILTINS = frozenset([
    "bool", "bytes", "dict", "float", "frozenset", "int", "len", "list", "max", "min", "range", "set", "sorted", "str",
    "sum", "tuple", "type", "zip",
])  # fmt: skip
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # where statements hold statements
DYNAMIC = frozenset(["__import__", "eval", "exec", "globals"])


@dataclass(frozen=True)
class Symbol:
    """The top-level statements that bind a name."""

    hash: str
    names: frozenset[tuple[str, ...]]  # global names that it reads, with the attributes after them
    aliases: Aliases  # of its own imports
    imports: frozenset[str]  # modules that it imports itself
    strings: frozenset[str]
    bases: frozenset[tuple[str, ...]]  # of a class
    hooks: bool  # whether it is a class that runs code of its own when it is subclassed
    dynamic: str  # why names do not tell what it reaches; empty where they do


@dataclass(frozen=True)
class Module:
    symbols: dict[str, Symbol]
    aliases: Aliases
    imports: frozenset[str]  # modules that are loaded with this one
    starred: frozenset[str]  # modules whose every name it imports


_parsed: dict[str, Module] = {}  # by the hash of all that a module was parsed from
_used: set[str] = set()  # of them, by this process


def read(path: Path, name: str, packages: tuple[str, ...]) -> Module:
    """The module `name` in the file `path`; `packages` are the first-party ones.

    Raises:
        UserError: the file is no Python.
    """
    source = path.read_bytes()
    digest = hashlib.sha256(f"{name} {path.name} {packages} ".encode() + source).hexdigest()
    if digest not in _parsed:
        with _told(path):
            _parsed[digest] = _parse(source, name, path.name == "__init__.py", packages)
    _used.add(digest)
    return _parsed[digest]


def recall(file: Path) -> None:
    """Takes over what `remember` wrote, so that it need not be parsed again: half of what a stage's harness would take.

    What is damaged, or was written by other code than this, counts as nothing.
    """
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        content = file.read_bytes()
        if _seal(content[32:]) == content[:32]:
            _parsed.update(msgspec.msgpack.decode(content[32:], type=dict[str, Module]))


def remember(file: Path) -> None:
    """Writes the modules that this process read, by the hash of all that they were parsed from, if it can."""
    content = msgspec.msgpack.encode({digest: _parsed[digest] for digest in sorted(_used)})
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError):  # a full disk: then the next process parses
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(_seal(content) + content)
            os.replace(partial, file)
        finally:
            partial.unlink(missing_ok=True)


def _seal(content: bytes) -> bytes:
    parsers = b"".join(Path(module).read_bytes() for module in (__file__, imports.__file__))
    return hashlib.sha256(sys.version.encode() + parsers + content).digest()


def _parse(source: bytes, name: str, is_package: bool, packages: tuple[str, ...]) -> Module:
    package = name if is_package else name.rpartition(".")[0]
    bound: dict[str, list[ast.stmt]] = {}
    effects: list[ast.stmt] = []
    main: list[ast.stmt] = []
    imported: list[Statement] = []
    for statement in _executed(_bare(ast.parse(source).body), main):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            imported.append(statement)
        elif names := _binds(statement):
            for bound_name in names:
                bound.setdefault(bound_name, []).append(statement)
        else:
            effects.append(statement)
    nested = [node for s in effects for node in ast.walk(s) if isinstance(node, ast.Import | ast.ImportFrom)]
    aliases = imports.aliases([*imported, *nested], package)
    defined = {id(s): s for found in bound.values() for s in found}.values()
    effects += [s for s in defined if not _pure(s, aliases, packages)]
    symbols = {bound_name: _symbol(found, package, packages) for bound_name, found in bound.items()}
    symbols[EFFECTS] = _symbol(sorted(effects, key=lambda s: s.lineno), package, packages)
    symbols[MAIN] = _symbol(main, package, packages)
    return Module(symbols, aliases, imports.loaded(imported, package), imports.starred(imported, package))


def _bare(body: list[ast.stmt]) -> list[ast.stmt]:
    """Takes docstrings away, and makes annotations that are text the expressions that they stand for, at any depth."""
    queue: list[Any] = list(body)
    while queue:  # of statements and what holds some: expressions hold neither
        node = queue.pop()
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = _without_docstring(node.body) or [ast.copy_location(ast.Pass(), node.body[0])]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            of = node.args
            for argument in (*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg):
                _spell_out(argument, "annotation")
        _spell_out(node, "annotation")
        _spell_out(node, "returns")
        queue += [inner for field in BLOCKS for inner in getattr(node, field, ())]
    return _without_docstring(body)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0].value if body and isinstance(body[0], ast.Expr) else None
    return body[1:] if isinstance(first, ast.Constant) and isinstance(first.value, str) else body


def _spell_out(node: ast.AST | None, place: str) -> None:
    text = getattr(node, place, None)
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        with contextlib.suppress(SyntaxError):
            expression = ast.parse(text.value, mode="eval").body
            setattr(node, place, ast.fix_missing_locations(ast.copy_location(expression, text)))


def _executed(body: list[ast.stmt], main: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Top-level statements that an import runs; what only the program runs goes into `main`."""
    for statement in body:
        test = ast.unparse(statement.test) if isinstance(statement, ast.If) else ""
        if test == "__name__ == '__main__'":
            main += statement.body
        elif test in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            yield from statement.orelse
        else:
            yield statement


def _binds(statement: ast.stmt) -> list[str]:
    """The names that a definition or a plain assignment binds; none where it does anything else."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets: list[ast.expr] = []
    if isinstance(statement, ast.AnnAssign) and statement.value:
        targets = [statement.target]
    elif isinstance(statement, ast.Assign):
        targets = [e for t in statement.targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [t.id for t in targets] if all(isinstance(t, ast.Name) for t in targets) else []


def _pure(statement: ast.stmt, aliases: dict[str, str], packages: tuple[str, ...]) -> bool:
    """Whether a definition or an assignment does nothing but bind its names, as far as can be told."""
    bases = getattr(statement, "bases", [])
    called = [*getattr(statement, "decorator_list", ()), *(node.func for node in _at_import(statement))]
    called += [k.value for k in getattr(statement, "keywords", ()) if k.arg == "metaclass"]
    for expression in [*called, *bases]:
        is_base = expression in bases
        while isinstance(expression, ast.Attribute | ast.Call | ast.Subscript):
            expression = expression.func if isinstance(expression, ast.Call) else expression.value
        if isinstance(expression, ast.Name):
            origins = {dotted.partition(".")[0] for dotted in aliases.get(expression.id, ())}
            if origins:  # a first-party base is looked at by itself: whether it has hooks
                known = origins <= (PURE.union(packages) if is_base else PURE)
            else:
                known = is_base or expression.id in PURE_BUILTINS
            if not known:
                return False
        elif not isinstance(expression, ast.Constant | ast.JoinedStr | ast.List | ast.Tuple | ast.Dict | ast.Set):
            return False
    return True


def _at_import(statement: ast.stmt) -> Iterator[ast.Call]:
    """The calls that running a top-level statement makes itself: those in bodies of functions come later."""
    queue: list[ast.AST] = [statement]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Call):
            yield node
        later = node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else []
        later = later if isinstance(later, list) else [later]
        queue += [child for child in ast.iter_child_nodes(node) if child not in later]


def _symbol(statements: list[ast.stmt], package: str, packages: tuple[str, ...]) -> Symbol:
    nodes = list(ast.walk(ast.Module(statements, [])))
    lookups = [node for node in nodes if isinstance(node, (ast.Call, ast.Subscript))]
    codes = [compile(ast.Module([s], []), "", "exec", dont_inherit=True, optimize=0) for s in statements]
    own = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    named = {module for node in lookups for module in _named_import(node)}  # values: names stand for them
    aliases = imports.aliases(own, package) | {module: frozenset([module]) for module in named}
    known = {name for code in codes for name in _names(code)} | aliases.keys()
    classes = [node for node in statements if isinstance(node, ast.ClassDef)]
    return Symbol(
        hash=hashlib.sha256(repr([_content(code) for code in codes]).encode()).hexdigest()[:16],
        names=frozenset(chain for chain in _chains(nodes) if chain[0] in known) | {(module,) for module in named},
        aliases=aliases,
        imports=imports.loaded(own, package) | named,
        strings=frozenset(n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)),
        bases=frozenset(chain for c in classes for base in c.bases if (chain := _chain(base))),
        hooks=any(_hooks(c) for c in classes),
        dynamic=next((why for node in lookups if (why := _dynamic(node, packages))), ""),
    )


def code_hash(path: Path) -> str:
    """The hash of a whole file of code.

    Raises:
        UserError: the file is no Python.
    """
    with _told(path):
        return _symbol(_bare(ast.parse(path.read_bytes()).body), "", ()).hash


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except SyntaxError as error:
        raise UserError(f"{path}:{error.lineno}: {error.msg}: want Python; mend it") from None


def _content(code: types.CodeType) -> tuple:
    """What running a code object does. Locals are numbers in it, but for arguments, which callers may name."""
    arguments = code.co_argcount + code.co_kwonlyargcount
    constants = [_content(c) if isinstance(c, types.CodeType) else _constant(c) for c in code.co_consts]
    return (
        code.co_code, constants, code.co_names, code.co_varnames[:arguments], code.co_flags, code.co_exceptiontable,
        code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, len(code.co_cellvars), len(code.co_freevars),
    )  # fmt: skip


def _constant(value: object) -> object:
    """A constant whose repr is the same in every process: sets are in no order."""
    if isinstance(value, frozenset):
        return ("frozenset", sorted(map(repr, value)))
    return (type(value).__name__, [_constant(v) for v in value] if isinstance(value, tuple) else repr(value))


def _names(code: types.CodeType) -> Iterator[str]:
    """Names that are no locals, in a code object and those within."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _chains(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ...]]:
    """The longest chains; `nodes` come outer ones first, as from `ast.walk`."""
    inner: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, (ast.Name, ast.Attribute)) and node not in inner and (chain := _chain(node)):
            yield chain
        if isinstance(node, ast.Attribute):
            inner.add(node.value)


def _chain(node: ast.AST) -> tuple[str, ...]:
    """`a.b.c` as its parts, which follow from a global name; empty for what is none."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    is_read = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    return (node.id, *reversed(attributes)) if is_read else ()


def _hooks(definition: ast.ClassDef) -> bool:
    return any(k.arg == "metaclass" for k in definition.keywords) or any(
        isinstance(s, ast.FunctionDef) and s.name in ("__init_subclass__", "__set_name__") for s in definition.body
    )


def _dynamic(node: ast.AST, packages: tuple[str, ...]) -> str:
    called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    if called in DYNAMIC or (called in ("dir", "locals", "vars") and not node.args):
        return f"calls {called}()"
    looked_up = None
    if isinstance(node, ast.Call) and _chain(node.func)[:2] == ("sys", "modules"):
        looked_up = node.args[0] if node.args else node
    elif isinstance(node, ast.Subscript) and _chain(node.value) == ("sys", "modules"):
        looked_up = node.slice
    others = isinstance(looked_up, ast.Constant) and str(looked_up.value).partition(".")[0] not in packages
    return EVERYTHING if looked_up and not others else ""


def _named_import(node: ast.AST) -> list[str]:
    """The module of `importlib.import_module("its.name")`."""
    if isinstance(node, ast.Call) and _chain(node.func)[-1:] == ("import_module",) and len(node.args) == 1:
        argument = node.args[0]
        return [argument.value] if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else []
    return []
