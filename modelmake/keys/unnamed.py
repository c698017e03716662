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
    if any(_looks_modules_up(node, packages) for node in nodes):
        return MODULES
    if any(name.endswith(UNPICKLE) for name in dotted):
        return EVERYTHING["Unpickler"]
    trusted = set(_chosen_imports(nodes))
    words = [name for node in nodes if node not in trusted for name in _last_names(node)]
    words += [name.rpartition(".")[2] for name in dotted if name.rpartition(".")[2] not in IMPORTERS]
    words += [n.value for n in nodes if isinstance(n, ast.Constant) and n.value in ("__subclasses__", "__import__")]
    return next((EVERYTHING[word] for word in words if word in EVERYTHING), "")


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


def _calls_modules(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "modules"
               for n in ast.walk(node))  # fmt: skip


def _looks_modules_up(node: ast.AST, packages: tuple[str, ...]) -> bool:
    """True for a use of `sys.modules`, except to look a third-party name up."""
    looked_up = None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_sys_modules(node.func.value):
        looked_up = node.args[0] if node.args else node
    elif isinstance(node, ast.Subscript) and _is_sys_modules(node.value):
        looked_up = node.slice
    third_party = isinstance(looked_up, ast.Constant) and str(looked_up.value).partition(".")[0] not in packages
    return looked_up is not None and not third_party


def _is_sys_modules(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "modules" and getattr(node.value, "id", "") == "sys"
