"""Code that finds other code, or the text of code, without naming it."""

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator

COMPUTED = "imports modules by computed names"
UNPICKLES = "unpickles what it is given"
FRAMES = "looks into the globals of functions or frames"
EVALUATES = "evaluates texts as code"
MODULES = "looks into sys.modules"
OBJECTS = "looks into all objects"
HOOKS = "sets hooks of classes"
EVERYTHING = {  # {name at the end of a dotted one: why every loaded module is taken whole}
    "__subclasses__": "looks for subclasses",
    "get_objects": OBJECTS,
    "get_referrers": OBJECTS,
    "get_referents": OBJECTS,
    "import_module": COMPUTED,
    "__import__": COMPUTED,
    "resolve_name": COMPUTED,
    "run_module": COMPUTED,
    "exec_module": COMPUTED,
    "load_module": COMPUTED,
    "module_from_spec": COMPUTED,
    "getmodule": "looks for modules of objects",
    "__globals__": FRAMES,
    "f_back": FRAMES,
    "f_globals": FRAMES,
    "__builtins__": EVALUATES,
    "CUnsafeLoader": UNPICKLES,
    "Unpickler": UNPICKLES,
    "UnsafeLoader": UNPICKLES,
    "read_pickle": UNPICKLES,
    "unsafe_load": UNPICKLES,
    "unsafe_load_all": UNPICKLES,
}
PICKLING = ("cloudpickle", "dill", "joblib", "marshal", "pickle")
FULL_NAMES = {  # {full name: why every loaded module is taken whole}
    "builtins.eval": EVALUATES, "builtins.exec": EVALUATES, "builtins.globals": EVALUATES, "importlib.reload": COMPUTED,
    "jsonpickle.decode": UNPICKLES, "jsonpickle.loads": UNPICKLES, "pydoc.locate": COMPUTED, "shelve.open": UNPICKLES,
    "sys.modules": MODULES, "torch.load": UNPICKLES, "yaml.CLoader": UNPICKLES, "yaml.Loader": UNPICKLES,
    **dict.fromkeys([f"{module}.load" for module in PICKLING], UNPICKLES),
    **dict.fromkeys([f"{module}.loads" for module in PICKLING], UNPICKLES),
}  # fmt: skip
EVALUATING = ("eval", "exec")  # builtins
# Modules with functions that find code or texts: all of them count where such a module is used as a value.
FINDERS = frozenset([
    "builtins", "cloudpickle", "dill", "gc", "importlib", "inspect", "joblib", "pickle", "pkgutil", "pydoc", "runpy",
    "sys", "traceback",
])  # fmt: skip
IMPORTERS = ("import_module", "__import__", "resolve_name", "locate", "run_module")
# What shows docstrings, comments, lines or names of locals, at the end of a dotted name.
TEXTS = frozenset([  # `datasets` saves a hash of functions with the names of their locals
    "TracebackException", "__annotations__", "__code__", "__doc__", "__loader__", "__traceback__",
    "_current_frames", "_fingerprint", "_getframe", "captureWarnings", "co_consts", "co_firstlineno",
    "currentframe", "exc_info", "f_code", "f_lineno", "f_locals", "findCaller", "findsource", "format_exc",
    "format_exception", "format_stack", "format_tb", "formatwarning", "get_annotations", "get_json_schema",
    "getcomments", "getdoc", "getfile", "getframeinfo", "getinnerframes", "getouterframes", "getsource",
    "getsourcefile", "getsourcelines", "gi_code", "gi_frame", "json_schema", "lineno", "model_json_schema",
    "print_exc", "print_exception", "print_stack", "save_to_disk", "schema_components", "schema_json", "setprofile",
    "settrace", "showwarning", "stack_info", "tb_frame", "tb_lineno", "walk_stack", "walk_tb",
])  # fmt: skip
TEXT_FUNCTIONS = (
    "cloudpickle.dump", "cloudpickle.dumps", "dill.dump", "dill.dumps", "inspect.stack", "inspect.trace",
    "marshal.dump", "marshal.dumps", "msgspec.json.schema", "pkgutil.get_data",
)  # fmt: skip
TEXT_MODULES = (
    "cProfile", "cgitb", "dis", "doctest", "faulthandler", "linecache", "pydoc", "tokenize", "traceback", "tracemalloc",
)  # fmt: skip
TEXT_PACKAGES = ("torch.export.", "torch.jit.", "torch.onnx.")  # what they save has lines of code and their numbers
LOADERS = ("get_code", "get_source")  # methods of loaders of modules, with one argument
# Functions that show versions, or other facts, of installed packages, which are not imported for that.
INSTALLED = ("importlib.metadata.", "importlib_metadata.", "pkg_resources.")
ANY_PACKAGE = "*"
TEXT_KEYWORDS = {  # {keyword of a call that shows texts or line numbers: the functions, none: any}
    "exc_info": (), "stack_info": (), "record": ("catch_warnings",), "tools": ("apply_chat_template",),
    "use_attribute_docstrings": (),
}  # fmt: skip
CLASS_HOOKS = ("__init_subclass__", "__set_name__", "__mro_entries__", "__class_getitem__")
LINE_NUMBERS = ("%(lineno)", "{lineno", "$lineno")  # in formats of logs
SPECIAL = re.compile(r"__\w+__")
READING = ("open", "read_bytes", "read_text")
OWN_LOCALS = ("eval", "exec", "locals")  # builtins that see the names of locals; `dir` and `vars` without arguments do
LOOKUPS = ("eval", "exec", "globals", "__import__")  # builtins that look names up


class Used:
    """What a symbol uses."""

    def __init__(self, nodes: list[ast.AST], origins: Callable[[ast.AST], Collection[str]], unbound: set[str]) -> None:
        """`origins` gives the full names that a dotted name may stand for, `unbound` are the global names that neither
        an import nor a statement of the module binds."""
        self.nodes, self.origins, self.unbound = nodes, origins, unbound
        self.calls = [node for node in nodes if isinstance(node, ast.Call)]
        self.read: list[tuple[ast.AST, list[str], Collection[str]]] = []  # (node, words in it, full names)
        for node in nodes:
            if isinstance(node, ast.Name | ast.Attribute) or _reads_attribute(node):
                full_names = _full_names(node, self)
                self.read.append((node, _words(node, full_names, unbound), full_names))
            elif _is_text(node) and (words := SPECIAL.findall(node.value)):  # for getattr, or "{x.__doc__}".format
                self.read.append((node, words, ()))


def lookup(used: Used) -> str:
    """Why names do not tell what code reaches in its own module; empty where they do."""
    called = map(_builtin, used.calls)
    referred = (name for name in LOOKUPS if name in used.unbound)
    names = [*(name for name in called if name in (*LOOKUPS, "dir", "locals", "vars")), *referred]
    return f"calls {names[0]}()" if names else ""


def sees_locals(used: Used) -> bool:
    """True for code to which the names of its own locals are data."""
    return any(_builtin(call) in (*OWN_LOCALS, "dir", "vars") for call in used.calls)


def everything(used: Used, packages: tuple[str, ...]) -> str:
    """Why names do not tell what code reaches in all loaded modules; empty where they do.

    `packages` are the first-party ones.
    """
    within = {call.func: package for call in used.calls if (package := _package_of_import(call, packages))}
    trusted = {*_trusted_calls(used), *within, *_third_party_lookups(used, packages)}
    reasons = [EVALUATES] if not used.unbound.isdisjoint(EVALUATING) else []
    for node, words, full_names in used.read:
        if node not in trusted:
            reasons += [EVERYTHING[word] for word in words if word in EVERYTHING]
            reasons += [FULL_NAMES[name] for name in full_names if name in FULL_NAMES]
            reasons += [HOOKS] if _sets_hook(node) else []
    reasons += [UNPICKLES for call in used.calls if _unpickles(call, used)]
    reasons += [f"uses {module} as a value" for module in sorted(_finders(used))]
    return [*reasons, *sorted(of_package(package) for package in within.values()), ""][0]


def of_package(package: str) -> str:
    """Why code that imports `f"{package}.…"` reaches everything that is loaded, but of other packages no more."""
    return f"imports modules of {package} by computed names"


def reads_texts(used: Used) -> bool:
    """True for code that reads docstrings, source, line numbers or frames, of whatever code."""
    return (
        any(not TEXTS.isdisjoint(words) for _, words, _ in used.read)
        or any(name.endswith(TEXT_FUNCTIONS) for _, _, full_names in used.read for name in full_names)
        or any(f"{name}.".startswith(TEXT_PACKAGES) for _, _, full_names in used.read for name in full_names)
        or any(name.partition(".")[0] in TEXT_MODULES for _, _, full_names in used.read for name in full_names)
        or any("__file__" in words for node, words, _ in used.read if isinstance(node, ast.Attribute))
        or any(_is_text(node) and any(form in node.value for form in LINE_NUMBERS) for node in used.nodes)
        or any(map(_call_reads_texts, used.calls))
        or "help" in used.unbound
        or bool(_finders(used))
    )


def installed(used: Used) -> list[str]:
    """The packages of which code asks what is installed, by name; `ANY_PACKAGE` where it computes the name."""
    asking = {call.func: call for call in used.calls}
    found = []
    for node, _, full_names in used.read:
        if any(name.startswith(INSTALLED) and not name.endswith(("Error", "NotFound")) for name in full_names):
            arguments = asking[node].args if node in asking else []
            found.append(arguments[0].value if len(arguments) == 1 and _is_text(arguments[0]) else ANY_PACKAGE)
    return found


def is_kept_compiled(call: ast.Call, used: Used) -> bool:
    """True for `numba.njit(cache=True)` and the like."""
    kept = any(k.arg == "cache" and getattr(k.value, "value", True) for k in call.keywords)
    return kept and any(name.startswith("numba.") for name in used.origins(call.func))


def literal_import(node: ast.AST) -> list[str]:
    """The full name of `importlib.import_module("its.name")`, or of `pkgutil.resolve_name("its:name")`."""
    is_import = isinstance(node, ast.Call) and _name_of(node.func) in IMPORTERS
    argument = node.args[0] if is_import and len(node.args) == 1 else None
    return [argument.value.replace(":", ".")] if _is_text(argument) else []


def _call_reads_texts(call: ast.Call) -> bool:
    name = _name_of(call.func)
    shown = {k.arg for k in call.keywords if not isinstance(k.value, ast.Constant) or k.value.value}
    own = [n for c in (call, getattr(call.func, "value", None)) for n in getattr(c, "args", ())]
    return (
        any(keyword in shown for keyword, functions in TEXT_KEYWORDS.items() if not functions)
        or any(shown & {keyword, None} for keyword, functions in TEXT_KEYWORDS.items() if name in functions)
        or (name == "exception" and bool(call.args))  # of a logger
        or (name in LOADERS and len(call.args) == 1 and not call.keywords)
        or (name in READING and any(getattr(n, "id", "") == "__file__" for n in own))
    )


def _builtin(call: ast.Call) -> str:
    """The name of a builtin that is called; `dir` and `vars` only without arguments."""
    name = getattr(call.func, "id", "")
    return "" if name in ("dir", "vars") and call.args else name


def _is_text(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _name_of(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _full_names(node: ast.AST, used: Used) -> Collection[str]:
    """The full names that a dotted name, or `getattr(name, "attribute")`, may stand for."""
    if isinstance(node, ast.Name | ast.Attribute):
        return used.origins(node)
    return [f"{name}.{node.args[1].value}" for name in used.origins(node.args[0])] if _reads_attribute(node) else ()


def _words(node: ast.AST, full_names: Iterable[str], unbound: set[str]) -> list[str]:
    """The attribute, imported name or builtin that is read."""
    names = [name.rpartition(".")[2] for name in full_names]
    if isinstance(node, ast.Name):
        return [*names, *({node.id} & unbound)]
    return [*names, node.attr if isinstance(node, ast.Attribute) else str(node.args[1].value)]


def _reads_attribute(node: ast.AST) -> bool:
    """True for `getattr(value, "attribute")`."""
    reads = isinstance(node, ast.Call) and _name_of(node.func) in ("getattr", "hasattr") and len(node.args) > 1
    return reads and isinstance(node.args[1], ast.Constant)


def _finders(used: Used) -> set[str]:
    """Those of `FINDERS` that are used otherwise than for one of their attributes."""
    names = [(node, full_names) for node, _, full_names in used.read if not FINDERS.isdisjoint(full_names)]
    owners = {node.value for node in used.nodes if isinstance(node, ast.Attribute)} if names else set()
    owners |= {node.args[0] for node, _, _ in used.read if isinstance(node, ast.Call)}
    return {name for node, full_names in names if node not in owners for name in full_names} & FINDERS


def _sets_hook(node: ast.AST) -> bool:
    """True where a method that runs when a class is subclassed is set from outside of the class."""
    attribute = node.attr if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) else ""
    return attribute in CLASS_HOOKS or (isinstance(node, ast.Constant) and node.value in CLASS_HOOKS)


def _unpickles(call: ast.Call, used: Used) -> bool:
    """True for a call that is told to unpickle."""
    told = {k.arg: getattr(k.value, "value", None) for k in call.keywords}
    if len(call.args) > 2 and "numpy.load" in used.origins(call.func):
        told["allow_pickle"] = getattr(call.args[2], "value", None)
    return told.get("allow_pickle", False) is not False or told.get("weights_only", True) is not True


def _trusted_calls(used: Used) -> Iterator[ast.AST]:
    """Functions of calls that import a literal name, what `modules()` of params names, or only load, as their value is
    not used; and of those that read tensors alone."""
    importing = [call for call in used.calls if _name_of(call.func) in IMPORTERS and call.args]
    chosen: set[str] = set()  # names of loops over `modules()`
    for node in used.nodes if importing else ():
        loops = node.generators if hasattr(node, "generators") else [node] if isinstance(node, ast.For) else []
        chosen |= {_name_of(loop.target) for loop in loops if _calls_modules(loop.iter)}
    unused = {node.value for node in used.nodes if isinstance(node, ast.Expr)} if importing else set()
    for call in importing:
        is_chosen = _calls_modules(call.args[0]) or getattr(call.args[0], "id", "") in chosen
        if is_chosen or literal_import(call) or call in unused:
            yield call.func
    yield from (call.func for call in used.calls if any(k.arg == "weights_only" for k in call.keywords))


def _package_of_import(call: ast.Call, packages: tuple[str, ...]) -> str:
    """The first-party package with whose name, written out, an imported name begins; empty where there is none."""
    if not (_name_of(call.func) == "import_module" and len(call.args) == 1):
        return ""
    start = call.args[0].values[0] if isinstance(call.args[0], ast.JoinedStr) else None
    package, dot, _ = str(start.value if isinstance(start, ast.Constant) else "").partition(".")
    return package if dot and package in packages else ""


def _calls_modules(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "modules"
               for n in ast.walk(node))  # fmt: skip


def _third_party_lookups(used: Used, packages: tuple[str, ...]) -> Iterator[ast.AST]:
    """Every `sys.modules` in which a third-party name is looked up."""
    for node in used.nodes:
        base, name = None, None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            base, name = node.func.value, node.args[0]
        elif isinstance(node, ast.Subscript):
            base, name = node.value, node.slice
        top = str(name.value).partition(".")[0] if isinstance(name, ast.Constant) else "__main__"
        if top not in (*packages, "__main__") and "sys.modules" in used.origins(base):
            yield base
