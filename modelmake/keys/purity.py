"""Decides whether a top-level statement only binds names or may have a side effect when it is imported."""

import ast
from collections.abc import Iterator

from modelmake.keys.imports import Aliases

# Modules whose functions change nothing elsewhere when they are called at import.
PURE = frozenset([
    "abc", "ast", "collections", "contextlib", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools",
    "itertools", "math", "msgspec", "operator", "pathlib", "re", "string", "types", "typing",
])  # fmt: skip
PURE_BUILTINS = frozenset([
    "bool", "bytes", "dict", "float", "frozenset", "int", "len", "list", "max", "min", "range", "set", "sorted", "str",
    "sum", "tuple", "type", "zip",
])  # fmt: skip

# Functions and methods of theirs that call what they are given, or change it, files or global state.
IMPURE = frozenset([
    "chmod", "defstruct", "delitem", "hardlink_to", "localcontext", "make_dataclass", "mkdir", "new_class", "open",
    "reduce", "register", "rename", "rmdir", "setcontext", "setitem", "starmap", "subn", "symlink_to", "touch",
    "unlink", "write_bytes", "write_text",
])  # fmt: skip
CALLING = frozenset(["default_factory", "key", "repl"])  # arguments that are called


def only_binds(statement: ast.stmt, aliases: Aliases, packages: tuple[str, ...]) -> bool:
    """True if a definition or assignment does nothing but bind its names; false where that is not certain.

    `packages` are the first-party ones. A first-party base class counts as pure here: whether it has a hook that runs
    when it is subclassed is decided by `reach`.
    """
    bases = getattr(statement, "bases", [])
    called = [*getattr(statement, "decorator_list", ()), *(node.func for node in _calls_at_import(statement))]
    if any(_runs_other_code(call) for call in _calls_at_import(statement)):
        return False
    called += [k.value for k in getattr(statement, "keywords", ()) if k.arg == "metaclass"]
    for expression in [*called, *bases]:
        is_base = expression in bases
        while isinstance(expression, ast.Attribute | ast.Call | ast.Subscript):
            expression = expression.func if isinstance(expression, ast.Call) else expression.value
        if isinstance(expression, ast.Name):
            origins = {dotted.partition(".")[0] for dotted in aliases.get(expression.id, ())}
            if origins:
                pure = origins <= (PURE.union(packages) if is_base else PURE)
            else:
                pure = is_base or expression.id in PURE_BUILTINS
            if not pure:
                return False
        elif not isinstance(expression, ast.Constant | ast.JoinedStr | ast.List | ast.Tuple | ast.Dict | ast.Set):
            return False
    return True


def _runs_other_code(call: ast.Call) -> bool:
    """True for a call of a pure module or builtin that may run, or change, what it is given."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    arguments = [*call.args, *(k.value for k in call.keywords)]
    calls = any(k.arg in CALLING and not isinstance(k.value, ast.Constant) for k in call.keywords if name != "field")
    makes_class = name == "type" and len(arguments) > 1
    calls |= name == "sub" and len(call.args) > 1 and not isinstance(call.args[-2], ast.Constant)
    return name in IMPURE or calls or makes_class


def _calls_at_import(statement: ast.stmt) -> Iterator[ast.Call]:
    """The calls that a top-level statement makes when it runs; bodies of functions run later."""
    queue: list[ast.AST] = [statement]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Call):
            yield node
        later = node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) else []
        later = later if isinstance(later, list) else [later]
        queue += [child for child in ast.iter_child_nodes(node) if child not in later]
