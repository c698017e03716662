"""Literals of Python in texts, and the JSON values that they are."""

import ast
import json
import warnings
from typing import Any, Literal

UNREADABLE = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)  # what both functions raise


def parse(text: str, mode: Literal["eval", "exec"]) -> Any:
    """The syntax tree of a text. Escapes that Python does not know, as in `"\\d"`, are kept without a warning."""
    with warnings.catch_warnings(action="ignore"):
        return ast.parse(text, mode=mode)


def json_value(node: ast.AST) -> Any:
    """The value of a literal in JSON's types: tuples are lists, all keys are texts; sets and bytes are refused."""
    return json.loads(json.dumps(ast.literal_eval(node), allow_nan=False))  # type: ignore[arg-type]
