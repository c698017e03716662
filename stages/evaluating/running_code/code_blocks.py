"""Code in texts: the answer's, and the tests and the solution of the expected answer.

A block begins with three backquotes and a name, and ends with three, or with the text. One with `tests` in its name
holds tests; other code is Python's, or has no name.
"""

import ast
import re

BLOCK = re.compile(r"^[ \t]*```([^\n`]*)\n(.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
PYTHON = ("", "python", "python3", "py")
TESTS = "tests"


def code(text: str) -> str:
    """The first block of Python; without any block the whole text; "" where all blocks are of something else."""
    blocks = [(name.lower().split(), content) for name, content in BLOCK.findall(text)]
    if not blocks:
        return text
    return next((content for name, content in blocks if TESTS not in name and "".join(name[:1]) in PYTHON), "")


def tests(text: str) -> str:
    """The blocks of tests."""
    return "\n".join(content for name, content in BLOCK.findall(text) if TESTS in name.lower().split())


def solution(text: str) -> str:
    """The code beside the tests; "" for none."""
    return code(text) if BLOCK.search(text) else ""


def can_fail(text: str) -> bool:
    """True for Python that has an assertion."""
    try:
        return any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
