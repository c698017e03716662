"""Names in texts: types in quotes, which readers of annotations look up, and what queries of tables name."""

import ast
import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator

from modelmake.keys.imports import Aliases

# Where types stand outside of annotations: in subscripts, and arguments of calls, of what is in these modules.
TYPING = ("typing", "typing_extensions", "collections", "dataclasses", "msgspec", "pydantic")
GENERIC = ("dict", "frozenset", "list", "set", "tuple", "type")

AT_NAME = re.compile(r"@([^\W\d]\w*)")  # a variable in a query of pandas
NAME = re.compile(r"[^\W\d]\w*")
# Functions that look up any name in a text among the variables of their caller.
EVALUATORS = frozenset(["duckdb.query", "duckdb.sql", "numexpr.evaluate", "pandas.eval", "polars.sql"])


def looked_up(nodes: Iterable[ast.AST], origins: Callable[[ast.AST], Collection[str]]) -> set[str]:
    """The names in texts that a library looks up among the variables of its caller.

    `origins` gives the full names that a dotted name may stand for.
    """
    nodes = list(nodes)
    evaluates = any(not EVALUATORS.isdisjoint(origins(node.func)) for node in nodes if isinstance(node, ast.Call))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return {name for text in texts for name in (NAME if evaluates else AT_NAME).findall(text)}


def expressions(nodes: Iterable[ast.AST], aliases: Aliases) -> Iterator[ast.expr]:
    """The expressions in the strings that `nodes` have for types."""

    def is_typing(node: ast.AST) -> bool:
        first = ast.unparse(node).partition(".")[0]
        return first in GENERIC or any(dotted.partition(".")[0] in TYPING for dotted in aliases.get(first, ()))

    for node in nodes:
        if isinstance(node, ast.arg | ast.AnnAssign):
            yield from _in_type(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _in_type(node.returns)
        elif isinstance(node, ast.Subscript) and is_typing(node.value):
            yield from _in_type(node)
        elif isinstance(node, ast.Call) and is_typing(node.func):
            for argument in (*node.args, *(k.value for k in node.keywords)):
                yield from _in_type(argument)


def _in_type(node: ast.AST | None) -> Iterator[ast.expr]:
    """The expressions in strings of a type; literals and metadata are no types."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        with contextlib.suppress(SyntaxError):
            expression = ast.parse(node.value.strip(), mode="eval").body
            yield expression
            yield from _in_type(expression)
    elif isinstance(node, ast.Subscript):
        name = ast.unparse(node.value).rpartition(".")[2]
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for part in parts[: {"Literal": 0, "Annotated": 1}.get(name)]:
            yield from _in_type(part)
    elif isinstance(node, ast.Tuple | ast.List | ast.BinOp | ast.Dict):
        for part in ast.iter_child_nodes(node):
            yield from _in_type(part)
