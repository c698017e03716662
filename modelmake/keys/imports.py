"""What import statements bind and load, by dotted names."""

import ast
from collections.abc import Iterable

Statement = ast.Import | ast.ImportFrom
Aliases = dict[str, frozenset[str]]  # {name that an import binds: dotted names that it may stand for}


def aliases(statements: Iterable[Statement], package: str) -> Aliases:
    """The names that imports bind in a module of `package`."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                name, dotted = alias.asname or alias.name, f"{_base(statement, package)}.{alias.name}"
            else:
                name = alias.asname or alias.name.partition(".")[0]
                dotted = alias.name if alias.asname else name
            found.setdefault(name, set()).add(dotted)
    return {name: frozenset(dotted) for name, dotted in found.items()}


def loaded(statements: Iterable[Statement], package: str) -> frozenset[str]:
    """What import statements load: for `from a import b`, `a` and, where that is a module, `a.b`."""
    found = set()
    for statement in statements:
        if isinstance(statement, ast.ImportFrom):
            base = _base(statement, package)
            found |= {base, *(f"{base}.{alias.name}" for alias in statement.names if alias.name != "*")}
        else:
            found |= {alias.name for alias in statement.names}
    return frozenset(found)


def starred(statements: Iterable[Statement], package: str) -> frozenset[str]:
    """The modules of which imports take every name."""
    return frozenset(_base(s, package) for s in statements if isinstance(s, ast.ImportFrom) and s.names[0].name == "*")


def _base(statement: ast.ImportFrom, package: str) -> str:
    above = package.split(".")[: len(package.split(".")) - statement.level + 1] if statement.level else []
    return ".".join([*above, *([statement.module] if statement.module else [])])
