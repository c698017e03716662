"""Hash of what the interpreter runs: the bytecode of statements.

Comments, docstrings, formatting, the spelling of numbers and the names of locals do not count. The hash holds for one
minor version of Python.
"""

import ast
import contextlib
import hashlib
import types
from collections.abc import Iterable, Iterator
from typing import Any

BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")  # fields in which statements hold statements


def normalise(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements without docstrings, and with string annotations as expressions, at any depth. Edits in place."""
    queue: list[Any] = list(body)
    while queue:  # statements and their blocks; expressions hold neither
        node = queue.pop()
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = _without_docstring(node.body) or [ast.copy_location(ast.Pass(), node.body[0])]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args
            for argument in (
                *arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg,
            ):  # fmt: skip
                _parse_annotation(argument, "annotation")
        _parse_annotation(node, "annotation")
        _parse_annotation(node, "returns")
        queue += [inner for field in BLOCKS for inner in getattr(node, field, ())]
    return _without_docstring(body)


def compiled(statements: list[ast.stmt]) -> list[types.CodeType]:
    """The code object of each statement."""
    return [compile(ast.Module([s], []), "", "exec", dont_inherit=True, optimize=0) for s in statements]


def digest(codes: Iterable[types.CodeType], *also: object) -> str:
    """16 hex digits of SHA-256 over the content of code objects, and what else is given."""
    return hashlib.sha256(repr([[_content(code) for code in codes], *also]).encode()).hexdigest()[:16]


def global_names(code: types.CodeType) -> Iterator[str]:
    """Names that are not locals, in a code object and those nested in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from global_names(constant)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0].value if body and isinstance(body[0], ast.Expr) else None
    return body[1:] if isinstance(first, ast.Constant) and isinstance(first.value, str) else body


def _parse_annotation(node: ast.AST | None, field: str) -> None:
    """Replaces an annotation that is a string by the expression in it."""
    text = getattr(node, field, None)
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        with contextlib.suppress(SyntaxError):
            expression = ast.parse(text.value, mode="eval").body
            setattr(node, field, ast.fix_missing_locations(ast.copy_location(expression, text)))


def _content(code: types.CodeType) -> tuple:
    """All that decides what a code object does. Locals are numbers in it; arguments have names, as callers use them,
    and so have inner functions, which show theirs."""
    arguments = code.co_argcount + code.co_kwonlyargcount
    constants = [_content(c) if isinstance(c, types.CodeType) else _constant(c) for c in code.co_consts]
    return (
        code.co_name, code.co_code, constants, code.co_names, code.co_varnames[:arguments], code.co_flags,
        code.co_exceptiontable,
        code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, len(code.co_cellvars), len(code.co_freevars),
    )  # fmt: skip


def _constant(value: object) -> object:
    """A constant with the same repr in every process: sets are sorted, but for numbers, of which a loop sees the
    same order in every process."""
    if isinstance(value, frozenset):
        numbers = all(isinstance(v, int | float | complex) for v in value)
        return ("frozenset", list(map(repr, value)) if numbers else sorted(map(repr, value)))
    return (type(value).__name__, [_constant(v) for v in value] if isinstance(value, tuple) else repr(value))
