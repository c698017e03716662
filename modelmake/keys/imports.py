"""Names that import statements bind, and modules that they load."""

import ast
from collections.abc import Iterable

Statement = ast.Import | ast.ImportFrom
Aliases = dict[str, frozenset[str]]  # {name that an import binds: dotted names it may refer to}


def aliases(statements: Iterable[Statement], package: str) -> Aliases:
    """The names that imports bind in a module of `package`."""
    bound: dict[str, set[str]] = {}
    for statement in statements:
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                name, dotted = alias.asname or alias.name, f"{_base(statement, package)}.{alias.name}"
            else:
                name = alias.asname or alias.name.partition(".")[0]
                dotted = alias.name if alias.asname else name
            bound.setdefault(name, set()).add(dotted)
    return {name: frozenset(dotted) for name, dotted in bound.items()}


def loaded(statements: Iterable[Statement], package: str) -> tuple[str, ...]:
    """The dotted names that imports load, in order, if they are modules: for `from a import b`, both `a` and `a.b`."""
    modules: dict[str, None] = {}
    for statement in statements:
        if isinstance(statement, ast.ImportFrom):
            base = _base(statement, package)
            modules |= dict.fromkeys(
                [base, *(f"{base}.{alias.name}" for alias in statement.names if alias.name != "*")]
            )
        else:
            modules |= dict.fromkeys(alias.name for alias in statement.names)
    return tuple(modules)


def starred(statements: Iterable[Statement], package: str) -> frozenset[str]:
    """The modules of which imports take every name (`from a import *`)."""
    return frozenset(_base(s, package) for s in statements if isinstance(s, ast.ImportFrom) and s.names[0].name == "*")


def checking(body: list[ast.stmt]) -> set[str]:
    """The names that stand for `typing.TYPE_CHECKING` in a module."""
    bound = aliases([s for s in body if isinstance(s, Statement)], "")
    names = {dotted: name for name, values in bound.items() for dotted in values}
    return {names.get("typing.TYPE_CHECKING", ""), f"{names.get('typing', '')}.TYPE_CHECKING"} - {"", ".TYPE_CHECKING"}


def _base(statement: ast.ImportFrom, package: str) -> str:
    """The module after `from`, as an absolute name."""
    above = package.split(".")[: len(package.split(".")) - statement.level + 1] if statement.level else []
    return ".".join([*above, *([statement.module] if statement.module else [])])
