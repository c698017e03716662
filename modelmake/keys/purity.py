"""Decides whether a top-level statement only binds names or may have a side effect when it is imported.

Whatever could run code of the project counts as a side effect: calls of anything that is not in the tables below,
decorators, and operators, subscripts and loops over values that are not plain. Plain are constants, containers of
them, classes of the module, and what comes from packages; names imported from the project are not, since they may be
objects whose operators do something.
"""

import ast
import builtins
from collections.abc import Collection, Iterable

from modelmake.keys.imports import Aliases

# Modules whose classes run no code of those that inherit from them.
PURE = frozenset([
    "abc", "ast", "collections", "contextlib", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools",
    "itertools", "math", "msgspec", "operator", "pathlib", "re", "string", "types", "typing",
])  # fmt: skip
# Modules whose functions and classes do nothing but compute from plain arguments.
COMPUTING = frozenset([
    "collections", "datetime", "decimal", "enum", "fractions", "itertools", "math", "pathlib", "re", "string", "typing",
])  # fmt: skip
BUILTINS = frozenset([
    "bool", "bytes", "dict", "float", "frozenset", "int", "len", "list", "max", "min", "range", "set", "sorted", "str",
    "sum", "tuple", "type", "zip",
])  # fmt: skip
NAMES = frozenset([*builtins.__dict__, "__file__"])  # that every module has
KEEPING = frozenset([  # they keep their arguments and call none
    "contextlib.nullcontext", "contextlib.suppress", "dataclasses.field", "functools.partial", "msgspec.Meta",
    "msgspec.field", "msgspec.json.Decoder", "msgspec.json.Encoder", "operator.attrgetter", "operator.itemgetter",
    "types.MappingProxyType", "types.SimpleNamespace", "typing.NewType", "typing.TypeVar",
    # of `DECORATORS`; others change the function or class that they are given
    "classmethod", "contextlib.asynccontextmanager", "contextlib.contextmanager", "functools.cache",
    "functools.lru_cache", "property", "staticmethod",
])  # fmt: skip
DECORATORS = frozenset([  # they keep what they decorate
    "abc.abstractmethod", "classmethod", "contextlib.asynccontextmanager", "contextlib.contextmanager",
    "dataclasses.dataclass", "enum.unique", "functools.cache", "functools.cached_property", "functools.lru_cache",
    "functools.singledispatch", "functools.total_ordering", "functools.wraps", "property", "staticmethod",
    "typing.final", "typing.overload", "typing.runtime_checkable",
])  # fmt: skip
ACCESSORS = ("deleter", "getter", "setter")  # of a property
# Of types, to be called on the type itself; all others change the object that they are given.
TYPE_METHODS = frozenset(
    ["from_bytes", "from_iterable", "fromhex", "fromisoformat", "fromkeys", "maketrans", "strptime"]
)
PATH_METHODS = frozenset(["absolute", "as_posix", "joinpath", "resolve", "with_name", "with_suffix"])
IMPURE = frozenset(["localcontext", "setcontext"])  # of `COMPUTING`: they change what is global
CALLED = frozenset(["key", "repl"])  # arguments of functions of `COMPUTING` and `BUILTINS` that they call
ENUM_METHODS = frozenset(["__init__", "__new__", "_generate_next_value_"])  # called while an enumeration is defined

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = ast.ClassDef | _Function
_Loop = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_Literal = ast.Constant | ast.JoinedStr | ast.List | ast.Tuple | ast.Dict | ast.Set


class Names:
    """What is known of the names of a module while its top-level statements are looked at, in their order."""

    def __init__(self, aliases: Aliases, packages: Iterable[str], bound: Iterable[str]) -> None:
        """`packages` are the first-party ones, `bound` the names that the module binds other than by imports."""
        self.aliases, self.packages, self.bound = aliases, frozenset(packages), frozenset(bound)
        self.plain: set[str] = set()  # of `bound`: bound to plain values
        self.functions: set[str] = set()  # of `bound`: bound to functions
        self.types: set[str] = set()  # of `bound`: bound to classes, with whatever bases, and unions of them

    def only_binds(self, statement: ast.stmt) -> bool:
        """True if a statement does nothing but bind its names; false where that is not certain.

        A first-party base class counts as pure here: whether it has a hook that runs when it is subclassed is decided
        by `reach`.
        """
        pure = self._only_binds(statement)
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        names = {statement.name} if isinstance(statement, _Definition) else stored([statement])
        if pure and (self._is_plain_class(statement) or (value and self._is_plain(value))):
            self.plain |= names
        else:
            self.plain -= names
        self.types -= names
        self.types |= names if pure and (isinstance(statement, ast.ClassDef) or self._is_type(value)) else set()
        self.functions -= names
        self.functions |= names if pure and isinstance(statement, _Function) else set()
        return pure

    def is_enumeration(self, definition: ast.ClassDef) -> bool:
        """True for a class that makes members of the values in its body, and in those of its subclasses."""
        metaclasses = [k.value for k in definition.keywords if k.arg == "metaclass"]
        return any(self._all(above, ("enum",)) for above in [*definition.bases, *metaclasses])

    def _only_binds(self, statement: ast.stmt) -> bool:
        if isinstance(statement, _Function):
            annotation = self._is_quiet(statement.returns, annotates=True)
            return annotation and all(map(self._keeps, statement.decorator_list)) and self._is_quiet(statement.args)
        if isinstance(statement, ast.ClassDef):
            return self._is_pure_class(statement)
        if isinstance(statement, ast.Assign):
            return self._unpacks_quietly(statement) and self._is_quiet(statement.value)
        if isinstance(statement, ast.AnnAssign):
            annotation = self._is_quiet(statement.annotation, annotates=True)
            return annotation and _binds_names(statement.target) and self._is_quiet(statement.value)
        is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        return is_constant or isinstance(statement, ast.Pass)

    def _is_pure_class(self, definition: ast.ClassDef) -> bool:
        names = {getattr(s, "name", "") for s in definition.body}
        metaclasses = [k.value for k in definition.keywords if k.arg == "metaclass"]
        mixed = not all(self._all(base, ("enum", *NAMES)) for base in definition.bases)
        if self.is_enumeration(definition) and (mixed or names & ENUM_METHODS):
            return False
        options = [k.value for k in definition.keywords if k.arg != "metaclass"]
        inner = self._with(names)
        return (
            all(map(self._is_base, definition.bases))
            and all(self._all(metaclass, PURE) for metaclass in metaclasses)
            and all(map(self._is_plain, options))  # they may be called with the class
            and all(map(self._keeps, definition.decorator_list))
            and all(inner.only_binds(s) and not inner._sets_name(s) for s in definition.body)
        )

    def _is_plain_class(self, statement: ast.stmt) -> bool:
        """True for a class without operators of its own; its metaclass is of a library."""
        return (
            isinstance(statement, ast.ClassDef)
            and all(map(self._is_plain, statement.bases))
            and not any(getattr(s, "name", "") == "__class_getitem__" for s in statement.body)
        )

    def _is_type(self, node: ast.expr | None) -> bool:
        """True for a class of the module, or a union of such, other plain names and None."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._is_type(node.left) and self._is_type(node.right)
        if isinstance(node, ast.Name):
            return node.id in self.types or self._is_plain_name(node.id)
        return isinstance(node, ast.Constant) and node.value is None

    def _unpacks_quietly(self, statement: ast.Assign) -> bool:
        """True for targets that are names, or tuples of them that get the parts of a plain or written-out value."""
        is_tuple = any(isinstance(target, ast.Tuple) for target in statement.targets)
        is_known = isinstance(statement.value, ast.Tuple | ast.List | _Loop) or self._is_plain(statement.value)
        return all(map(_binds_names, statement.targets)) and (not is_tuple or is_known)

    def _sets_name(self, statement: ast.stmt) -> bool:
        """True if a class attribute may be an object of the project, of which `__set_name__` is called."""
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        values = [value]
        if isinstance(value, ast.Call):  # `field` passes it on to its default
            values = [*value.args, *(k.value for k in value.keywords if k.arg != "default_factory")]
        elif isinstance(value, ast.Tuple | ast.List) and any(isinstance(t, ast.Tuple) for t in _targets(statement)):
            values = value.elts
        named = [v for v in values if isinstance(v, ast.Name | ast.Attribute | ast.IfExp)]
        return any(getattr(v, "id", "") not in self.functions and not self._is_plain(v) for v in named)

    def _is_base(self, base: ast.expr) -> bool:
        if isinstance(base, ast.Subscript):
            return self._is_base(base.value) and self._is_quiet(base.slice, annotates=True)
        if isinstance(base, ast.Call):
            return self._is_quiet(base)
        return bool(root := _root(base)) and (root not in self.aliases or self._all(base, PURE | self.packages))

    def _keeps(self, decorator: ast.expr) -> bool:
        """True for a decorator that registers nothing."""
        if isinstance(decorator, ast.Call):
            return self._is_one_of(decorator.func, DECORATORS) and all(map(self._is_quiet, _arguments(decorator)))
        accessor = isinstance(decorator, ast.Attribute) and decorator.attr in ACCESSORS
        return self._is_one_of(decorator, DECORATORS) or (accessor and _root(decorator) in self.functions)

    def _is_quiet(self, node: ast.AST | None, annotates: bool = False) -> bool:
        """True for an expression that runs no code of the project; in annotations operators make types."""
        if isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            return False
        if isinstance(node, ast.Call):
            return self._is_pure_call(node)
        if isinstance(node, _Loop):
            targets = stored(g.target for g in node.generators)
            inner = self._with(targets)
            inner.plain |= targets
            parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            sources = [part for g in node.generators for part in (g.iter, *g.ifs)]
            return all(map(inner._is_plain, sources)) and all(map(inner._is_quiet, parts))
        if isinstance(node, ast.arg):
            return self._is_quiet(node.annotation, annotates=True)
        annotates |= isinstance(node, ast.BinOp) and self._is_type(node)
        annotates |= isinstance(node, ast.Subscript) and self._all(node.value, (*NAMES, "collections", "typing"))
        parts = [node.args] if isinstance(node, ast.Lambda) else ast.iter_child_nodes(node) if node else ()
        operands = [] if annotates else _operands(node)
        return all(map(self._is_plain, operands)) and all(self._is_quiet(part, annotates) for part in parts)

    def _is_pure_call(self, call: ast.Call) -> bool:
        function, arguments = call.func, _arguments(call)
        if self._is_one_of(function, KEEPING):
            return all(map(self._is_quiet, arguments))
        makes_class = getattr(function, "id", "") == "type" and len(arguments) > 1
        calls = any(k.arg in CALLED and not isinstance(k.value, ast.Constant) for k in call.keywords)
        if makes_class or calls or not all(map(self._is_plain, arguments)):
            return False
        if _root(function):
            origins = self._origins(function)
            return bool(origins) and all(map(_computes, origins))
        value = function.value if isinstance(function, ast.Attribute) else None
        is_path = isinstance(value, ast.Call) and function.attr in PATH_METHODS
        return (is_path or isinstance(value, _Literal)) and self._is_plain(value)

    def _is_plain(self, node: ast.AST | None) -> bool:
        """True for a quiet expression whose value holds no functions, and no objects of the project's classes."""
        parts = ast.walk(node) if node else ()
        return self._is_quiet(node) and all(
            self._is_plain_name(n.id) if isinstance(n, ast.Name) else not isinstance(n, ast.Lambda) for n in parts
        )

    def _is_plain_name(self, name: str) -> bool:
        if name in self.aliases:
            return all(dotted.partition(".")[0] not in self.packages for dotted in self.aliases[name])
        return name in self.plain or (name not in self.bound and (name in NAMES))

    def _origins(self, node: ast.AST) -> frozenset[str]:
        """The full names that a dotted name may stand for; none if the module itself binds its first part."""
        first, _, rest = ast.unparse(node).partition(".")
        if not _root(node) or first in self.bound:
            return frozenset()
        return frozenset(f"{dotted}.{rest}" if rest else dotted for dotted in self.aliases.get(first, [first]))

    def _is_one_of(self, node: ast.AST, names: frozenset[str]) -> bool:
        origins = self._origins(node)
        return bool(origins) and origins <= names

    def _all(self, node: ast.AST, modules: Collection[str]) -> bool:
        """True if an expression is a dotted name that stands for something in one of some modules or packages."""
        origins = self._origins(node)
        return bool(origins) and {dotted.partition(".")[0] for dotted in origins} <= {*modules}

    def _with(self, names: set[str]) -> "Names":
        inner = Names(self.aliases, self.packages, self.bound | names)
        inner.plain, inner.functions, inner.types = self.plain - names, self.functions - names, self.types - names
        return inner


def stored(statements: Iterable[ast.AST]) -> set[str]:
    """The names that statements bind at any depth, other than by imports."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    return {n.name for n in nodes if isinstance(n, _Definition)} | {n.id for n in nodes if _is_stored(n)}


def _computes(dotted: str) -> bool:
    """True for a function or class that does nothing but compute from plain arguments."""
    first, *rest = dotted.split(".")
    if first in BUILTINS:
        return not rest or rest[-1] in TYPE_METHODS
    return first in COMPUTING and (len(rest) == 1 or rest[-1] in TYPE_METHODS) and rest[-1] not in IMPURE


def _operands(node: ast.AST | None) -> list[ast.expr]:
    """The expressions of which an expression calls methods, such as those of its operators."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.IfExp):
        return [node.test]
    if isinstance(node, ast.Dict):  # keys are hashed, too, but tables by imported names are many
        return [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
    if isinstance(node, ast.Subscript):
        return [node.value, node.slice]
    return [node.value] if isinstance(node, ast.Starred | ast.FormattedValue) else []


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(k.value for k in call.keywords)]


def _targets(statement: ast.stmt) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else []


def _binds_names(target: ast.expr) -> bool:
    """True for a name, or a tuple of names."""
    return all(isinstance(t, ast.Name) for t in (target.elts if isinstance(target, ast.Tuple) else [target]))


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _root(node: ast.AST) -> str:
    """The first part of a dotted name; empty for another expression."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return getattr(node, "id", "")
