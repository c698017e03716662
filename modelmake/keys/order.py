"""The order of a module's top-level statements, as far as it decides a value."""

import ast
from collections import Counter
from collections.abc import Iterator


def of(statements: list[ast.stmt], effects: list[ast.stmt]) -> list[str]:
    """The order in which names are bound more than once, values are computed from other names, and `effects` happen.

    Empty where it decides nothing. Unchanged by what else is added between.
    """
    bindings = Counter(name for statement in statements for name in _bound(statement))
    twice = {name for name, count in bindings.items() if count > 1}
    side_effects = set(map(id, effects))
    steps: list[str] = []
    for statement in statements:
        names = [name for name in _bound(statement) if name in twice or _reads_at_import(statement, bindings.keys())]
        if id(statement) in side_effects:
            steps += ["!"] if steps[-1:] != ["!"] else []
        elif names:
            kind = "import " if isinstance(statement, ast.Import | ast.ImportFrom) else ""
            steps += [f"{kind}{name}" for name in names]
    return steps if twice or ("!" in steps and len(steps) > 1) else []


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that an import, a definition or an assignment binds."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        stored = (n for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        yield from (name.id for name in stored)


def _reads_at_import(statement: ast.stmt, names: object) -> bool:
    """True if a statement reads one of the module's own names when it runs, other than to call or annotate."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        parts = [d for d in (*statement.args.defaults, *statement.args.kw_defaults) if d is not None]
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        parts = [statement.value] if statement.value else []
    elif isinstance(statement, ast.ClassDef):
        parts = [s.value for s in statement.body if isinstance(s, ast.Assign | ast.AnnAssign) and s.value]
    else:
        return False
    return any(isinstance(n, ast.Name) and n.id in names for part in parts for n in ast.walk(part))
