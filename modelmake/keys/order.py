"""The order of a module's top-level statements, as far as it decides a value."""

import ast
from collections import Counter
from collections.abc import Iterator

EFFECT = "!"
_Import = ast.Import | ast.ImportFrom
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = ast.ClassDef | _Function
_Scope = _Definition | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def of(statements: list[ast.stmt], effects: list[ast.stmt]) -> list[str]:
    """The order in which names are bound more than once, values are computed from other names, and `effects` happen.

    Empty where it decides nothing. Unchanged by what else is added between.
    """
    bindings = {name for statement in statements for name in _bound(statement)}
    side_effects = set(map(id, effects))
    twice = _twice(statements, side_effects)
    stars = [i for i, statement in enumerate(statements) if "*" in _bound(statement)]
    steps: list[str] = []
    begun = False  # something ran that may decide what an import finds, or the other way round
    for i, statement in enumerate(statements):
        is_hidden = bool(stars) and i < stars[-1]  # a starred import may bind the name again
        names = [n for n in _bound(statement) if n in twice or is_hidden or _reads_at_import(statement, bindings)]
        if id(statement) in side_effects:
            steps += [EFFECT] if steps[-1:] != [EFFECT] else []
        elif isinstance(statement, _Import):
            steps += _of_import(statement, {*names, "*"}, begun)
        else:
            steps += names
        begun |= id(statement) in side_effects or (isinstance(statement, ast.ClassDef) and bool(statement.bases))
    imports = any(step.startswith("import ") for step in steps)
    return steps if twice or imports or (EFFECT in steps and len(steps) > 1) else []


def before(statements: list[ast.stmt], effects: list[ast.stmt]) -> dict[str, list[object]]:
    """{name: what comes before the statements that bind it, as far as they read it when they run}.

    That is bindings of names that are bound more than once, and effects where a class or decorator reads a value. It
    is empty for most names.
    """
    side_effects = set(map(id, effects))
    twice = _twice(statements, side_effects)
    values = {name for s in statements if isinstance(s, ast.Assign | ast.AnnAssign) and not _is_fixed(s.value)
              for name in _bound(s)}  # fmt: skip
    bound: Counter[str] = Counter()
    past, result = 0, {}
    for statement in statements:
        names = list(_bound(statement))
        position: list[object] = [(name, bound[name]) for name in sorted(_read([statement], True) & twice - {*names})]
        parts = [statement] if isinstance(statement, ast.ClassDef) else getattr(statement, "decorator_list", [])
        position += [past] if past and not values.isdisjoint(_read(parts, False)) else []
        for name in names if position else ():
            result.setdefault(name, []).extend(position)
        past += id(statement) in side_effects
        bound.update(_all_bound(statement, side_effects))
    return result


def _twice(statements: list[ast.stmt], side_effects: set[int]) -> set[str]:
    """The names that more than one statement binds."""
    bindings = Counter(name for statement in statements for name in _all_bound(statement, side_effects))
    return {name for name, count in bindings.items() if count > 1}


def _of_import(statement: _Import, names: set[str], after_effect: bool) -> list[str]:
    """The steps of an import: what it binds to `names`, or all that it loads after an effect, which may decide it."""
    module = f"{'.' * statement.level}{statement.module or ''}." if isinstance(statement, ast.ImportFrom) else ""
    steps = []
    for alias, name in zip(statement.names, _bound(statement), strict=True):
        bound = alias.name if module or alias.asname or after_effect else name
        steps += [f"import {module}{bound}"] if after_effect or name in names else []
    return steps


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that an import, a definition or an assignment binds; `*` for all names of a module."""
    if isinstance(statement, _Import):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    elif isinstance(statement, _Definition):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        yield from _stored(statement)


def _all_bound(statement: ast.stmt, side_effects: set[int]) -> set[str]:
    """The names that a statement binds in the module, also within a condition or loop."""
    return {*_bound(statement), *(_stored(statement) if id(statement) in side_effects else ())}


def _stored(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, _Import | _Definition):
        yield from _bound(node)
    elif not isinstance(node, _Scope):
        for inner in ast.iter_child_nodes(node):
            yield from _stored(inner)


def _is_fixed(value: ast.expr | None) -> bool:
    """True for an expression of constants, whose value nothing changes."""
    fixed = (ast.Constant, ast.Tuple, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)
    return value is not None and all(isinstance(node, fixed) for node in ast.walk(value))


def _read(nodes: list[ast.AST], types: bool) -> set[str]:
    """The names that run with some statements, not those in functions; of bases and annotations only if `types`."""
    names: set[str] = set()
    queue: list[ast.AST | None] = [*nodes]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, _Function):
            queue += [*node.decorator_list, node.args, node.returns if types else None]
        elif isinstance(node, ast.ClassDef):
            queue += [*node.decorator_list, *(node.bases if types else ()), *node.keywords, *node.body]
        elif isinstance(node, ast.Lambda):
            queue.append(node.args)
        elif isinstance(node, ast.arg | ast.AnnAssign):
            queue += [node.annotation if types else None, getattr(node, "value", None)]
        elif node is not None:
            queue += ast.iter_child_nodes(node)
    return names


def _reads_at_import(statement: ast.stmt, names: object) -> bool:
    """True if a statement reads one of the module's own names when it runs, other than to call or annotate."""
    if isinstance(statement, _Function):
        parts = [d for d in (*statement.args.defaults, *statement.args.kw_defaults) if d is not None]
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        parts = [statement.value] if statement.value else []
    elif isinstance(statement, ast.ClassDef):
        parts = [s.value for s in statement.body if isinstance(s, ast.Assign | ast.AnnAssign) and s.value]
    else:
        return False
    return any(isinstance(n, ast.Name) and n.id in names for part in parts for n in ast.walk(part))
