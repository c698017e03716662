"""Code that finds other code, or the text of code, without naming it."""

import ast
from collections.abc import Collection, Iterable, Iterator

EVERYTHING = {  # {called or read at the end of a dotted name: why every loaded module is taken whole}
    "__subclasses__": "looks for subclasses",
    "get_objects": "looks into all objects",
    "get_referrers": "looks into all objects",
    "import_module": "imports modules by computed names",
    "__import__": "imports modules by computed names",
    "resolve_name": "imports modules by computed names",
    "locate": "imports modules by computed names",
    "run_module": "imports modules by computed names",
    "Unpickler": "unpickles what it is given",
}
UNPICKLE = ("pickle.load", "pickle.loads", "dill.load", "dill.loads", "cloudpickle.load", "cloudpickle.loads")
MODULES = "looks into sys.modules"
IMPORTERS = ("import_module", "__import__", "resolve_name", "locate", "run_module")
# What shows docstrings, comments, lines or names of locals, at the end of a dotted name.
TEXTS = frozenset([
    "__code__", "__doc__", "_getframe", "co_consts", "currentframe", "extract_stack", "extract_tb", "f_code",
    "f_lineno", "f_locals", "findsource", "format_exc", "format_exception", "format_stack", "format_tb",
    "get_json_schema", "getcomments", "getdoc", "getsource", "getsourcelines", "print_exc", "print_exception",
    "print_stack", "schema_components", "stack_info", "tb_lineno",
])  # fmt: skip
TEXT_FUNCTIONS = ("inspect.stack", "inspect.trace", "msgspec.json.schema")
OWN_LOCALS = ("eval", "exec", "locals")  # builtins that see the names of locals; `dir` and `vars` without arguments do
LOOKUPS = ("eval", "exec", "globals", "__import__")  # builtins that look names up


def lookup(nodes: Iterable[ast.AST]) -> str:
    """Why names do not tell what code reaches in its own module; empty where they do."""
    called = (_builtin(node) for node in nodes)
    return next((f"calls {name}()" for name in called if name in (*LOOKUPS, "dir", "locals", "vars")), "")


def sees_locals(nodes: Iterable[ast.AST]) -> bool:
    """True for code to which the names of its own locals are data."""
    return any(_builtin(node) in (*OWN_LOCALS, "dir", "vars") for node in nodes)


def everything(nodes: list[ast.AST], dotted: Collection[str], packages: tuple[str, ...]) -> str:
    """Why names do not tell what code reaches in all loaded modules; empty where they do.

    `dotted` are the full names that it uses, `packages` the first-party ones.
    """
    looked_up = {base for node in nodes if (base := _third_party_lookup(node, packages)) is not None}
    if any(_is_sys_modules(node) and node not in looked_up for node in nodes):
        return MODULES
    if "sys.modules" in dotted and not any(map(_is_sys_modules, nodes)):  # imported by name
        return MODULES
    if any(name.endswith(UNPICKLE) for name in dotted):
        return EVERYTHING["Unpickler"]
    within = {node: package for node in nodes if (package := _package_of_import(node, packages))}
    trusted = {*_chosen_imports(nodes), *within}
    words = [name for node in nodes if node not in trusted for name in _last_names(node)]
    words += [name.rpartition(".")[2] for name in dotted if name.rpartition(".")[2] not in IMPORTERS]
    words += [n.value for n in nodes if isinstance(n, ast.Constant) and n.value in ("__subclasses__", "__import__")]
    reasons = [EVERYTHING[word] for word in words if word in EVERYTHING]
    return [*reasons, *sorted(of_package(package) for package in within.values()), ""][0]


def of_package(package: str) -> str:
    """Why code that imports `f"{package}.…"` reaches everything that is loaded, but of other packages no more."""
    return f"imports modules of {package} by computed names"


def reads_texts(nodes: Iterable[ast.AST], dotted: Iterable[str]) -> bool:
    """True for code that reads docstrings, source, line numbers or frames, of whatever code."""
    words = {name.rpartition(".")[2] for name in dotted}
    words |= {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    words |= {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return bool(words & TEXTS) or any(name.endswith(TEXT_FUNCTIONS) for name in dotted)


def literal_import(node: ast.AST) -> list[str]:
    """The module of `importlib.import_module("its.name")`."""
    is_import = isinstance(node, ast.Call) and _name_of(node.func) in IMPORTERS
    argument = node.args[0] if is_import and len(node.args) == 1 else None
    return [argument.value] if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else []


def _builtin(node: ast.AST) -> str:
    """The name of a builtin that is called; `dir` and `vars` only without arguments."""
    name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return "" if name in ("dir", "vars") and node.args else name


def _name_of(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _last_names(node: ast.AST) -> list[str]:
    """The function that a call names, or the attribute that is read; of imports only calls count."""
    if isinstance(node, ast.Call):
        return [_name_of(node.func)]
    return [node.attr] if isinstance(node, ast.Attribute) and node.attr not in IMPORTERS else []


def _chosen_imports(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """Calls that import a literal name, what `modules()` of params names, or only load: their value is not used."""
    chosen: set[str] = set()  # names of loops over `modules()`
    for node in nodes:
        loops = node.generators if hasattr(node, "generators") else [node] if isinstance(node, ast.For) else []
        chosen |= {_name_of(loop.target) for loop in loops if _calls_modules(loop.iter)}
    unused = {node.value for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Call) and _name_of(node.func) in IMPORTERS and node.args:
            argument = node.args[0]
            is_chosen = _calls_modules(argument) or (isinstance(argument, ast.Name) and argument.id in chosen)
            if is_chosen or literal_import(node) or node in unused:
                yield node


def _package_of_import(node: ast.AST, packages: tuple[str, ...]) -> str:
    """The first-party package with whose name, written out, an imported name begins; empty where there is none."""
    if not (isinstance(node, ast.Call) and _name_of(node.func) == "import_module" and len(node.args) == 1):
        return ""
    start = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else None
    package, dot, _ = str(start.value if isinstance(start, ast.Constant) else "").partition(".")
    return package if dot and package in packages else ""


def _calls_modules(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "modules"
               for n in ast.walk(node))  # fmt: skip


def _third_party_lookup(node: ast.AST, packages: tuple[str, ...]) -> ast.AST | None:
    """The `sys.modules` in which a node looks a third-party name up; None for another node."""
    base, name = None, None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        base, name = node.func.value, node.args[0]
    elif isinstance(node, ast.Subscript):
        base, name = node.value, node.slice
    third_party = isinstance(name, ast.Constant) and str(name.value).partition(".")[0] not in packages
    return base if third_party and _is_sys_modules(base) else None


def _is_sys_modules(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "modules" and getattr(node.value, "id", "") == "sys"
