"""Code that finds code, or texts of code, in ways that no name tells: all that is loaded counts, or its texts do."""

from pathlib import Path

import pytest

from modelmake.keys.reach import Reached, reach

LEAF = 'class Known: ...\nclass Hidden:\n    """Doc."""\n    x = 1\n'
COMPUTED = "imports modules by computed names"
FINDING = {  # {a way to find code: why every loaded module is taken whole}
    "map(importlib.import_module, x)": COMPUTED,
    "load(x).Hidden": COMPUTED,
    "importlib.import_module": COMPUTED,
    "functools.partial(importlib.import_module, package='stages')": COMPUTED,
    "getattr(importlib, 'import_module')(x)": COMPUTED,
    "getattr(importlib, 'import_' + x)(x)": "uses importlib as a value",
    "map(__import__, x)": COMPUTED,
    "builtins.__import__(x)": COMPUTED,
    "importlib.reload(x)": COMPUTED,
    "located(x)": COMPUTED,
    "importlib.util.module_from_spec(x)": COMPUTED,
    "__loader__.load_module(x)": COMPUTED,
    "inspect.getmodule(Known).Hidden": "looks for modules of objects",
    "Known.f.__globals__['Hidden']": "looks into the globals of functions or frames",
    "getattr(Known.f, '__globals__')": "looks into the globals of functions or frames",
    "'{0.f.__globals__[Hidden]}'.format(Known)": "looks into the globals of functions or frames",
    "x.tb_frame.f_globals": "looks into the globals of functions or frames",
    "s.modules[x]": "looks into sys.modules",
    "getattr(s, 'modules')": "looks into sys.modules",
    "s.modules['__main__'].leaf": "looks into sys.modules",
    "vars(s)": "uses sys as a value",
    "torch.load(x)": "unpickles what it is given",
    "torch.load(x, weights_only=False)": "unpickles what it is given",
    "joblib.load(x)": "unpickles what it is given",
    "x.read_pickle(x)": "unpickles what it is given",
    "x.load(x, allow_pickle=True)": "unpickles what it is given",
    "x.load(x, Loader=yaml.UnsafeLoader)": "unpickles what it is given",
    "yaml.load(x, Loader=yaml.Loader)": "unpickles what it is given",
    "yaml.load(x, yaml.CLoader)": "unpickles what it is given",
    "yaml.load_all(x, yaml.CUnsafeLoader)": "unpickles what it is given",
    "yaml.unsafe_load_all(x)": "unpickles what it is given",
    "numpy.load(x, None, True)": "unpickles what it is given",
    "jsonpickle.decode(x)": "unpickles what it is given",
    "jsonpickle.loads(x)": "unpickles what it is given",
    "[pickle][0].load(x)": "uses pickle as a value",
    "eval(x)": "evaluates texts as code",
    "map(eval, x)": "evaluates texts as code",
    "exec(x)": "evaluates texts as code",
    "builtins.eval(x)": "evaluates texts as code",
    "setattr(Known, '__init_subclass__', x)": "sets hooks of classes",
}
HEAD = (
    "import builtins, functools, importlib.util, inspect, joblib, logging, pickle, torch, traceback, warnings, yaml\n"
    "import dis, faulthandler, jsonpickle, linecache, numpy, marshal, pkgutil, pydoc\nimport sys as s\n"
    "from importlib import import_module as load\nfrom pydoc import locate as located\nfrom stages import leaf\n"
    "from stages.leaf import Known\n"
)
NOTHING = [  # what finds no code
    "torch.load(x, weights_only=True)", "x.load(x, allow_pickle=False)", "x.eval()",
    "yaml.load(x, Loader=yaml.SafeLoader)", "yaml.load(x, yaml.CSafeLoader)", "numpy.load(x, None, False)",
    "x.load(x, None, x)",
    "importlib.util.find_spec('torch')", "getattr(s, 'frozen', False), s.argv, s.stderr", "s.modules.get('torch')",
    "importlib.import_module('torch')",
]  # fmt: skip
SHOWING = [  # what shows texts or line numbers of code
    "x.apply_chat_template(x, tools=[Known])", "x.apply_chat_template(x, **x)", "x.gi_code.co_firstlineno",
    "x.model_json_schema()", "x.json_schema()", "help(x)",
    "logging.Formatter('%(levelname)s %(lineno)4d')", "logging.basicConfig(format='{lineno}', style='{')",
    "logging.error('x', exc_info=True)", "logging.exception('x')", "x.log.exception('x')", "x.lineno",
    "warnings.catch_warnings(record=True)", "warnings.formatwarning(x)", "traceback.TracebackException(x)",
    "traceback.walk_tb(x)", "s.exc_info()", "x.__traceback__", "faulthandler.dump_traceback(x)", "s.settrace(x)",
    "linecache.getline(x, 1)", "leaf.__file__", "open(__file__)", "inspect.getfile(x)", "pkgutil.get_data('stages', x)",
    "traceback.print_tb(x)", "logging.captureWarnings(True)", "inspect.getframeinfo(x)",
    "logging.Formatter('$lineno', style='$')", "dis.dis(x)", "marshal.dumps(x)", "pydoc.render_doc(x)",
    "x.joinpath('leaf.py').read_text()",
    "[traceback][0].print_exc()", "torch.jit.script(Known)", "torch.export.export(x)", "torch.onnx.export(x)",
    "x.save_to_disk(x)", "__spec__.loader.get_source('stages.leaf')", "x.get_code(x)", "Known.__annotations__",
    "inspect.get_annotations(Known)",
]  # fmt: skip
HIDING = [  # what shows neither
    "x.loader.get_source(x, 'page.css')", "inspect.signature(Known)",
    "x.apply_chat_template(x, tokenize=False)", "x.apply_chat_template(x, tools=None)", "x.exception()",
    "logging.warning('x', exc_info=False)", "warnings.catch_warnings(action='ignore')", "__file__",
    "{'type': 'json_schema', 'line': 'lineno'}",
]  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/__init__.py").touch()
    return tmp_path


def reached(tree: Path, code: str, leaf: str = LEAF) -> Reached:
    (tree / "stages/leaf.py").write_text(leaf)
    (tree / "stages/go.py").write_text(f"{HEAD}def main(x):\n    return {code}, Known\nprint(main(1))\n")
    return reach(tree, "stages.go", [], ("stages",))


@pytest.mark.parametrize("code", FINDING)
def test_what_finds_code_takes_every_loaded_module_whole(tree: Path, code: str) -> None:
    result = reached(tree, code)

    assert "Hidden" in result.symbols["stages.leaf"]
    assert result.whole["stages.leaf"] == f"stages.go {FINDING[code]}"


@pytest.mark.parametrize("code", NOTHING)
def test_what_finds_no_code_takes_nothing_whole(tree: Path, code: str) -> None:
    assert reached(tree, code).whole == {}


@pytest.mark.parametrize("code", SHOWING)
def test_texts_and_lines_count_where_code_shows_them(tree: Path, code: str) -> None:
    before = reached(tree, code).symbols["stages.leaf"]["Known"]

    assert reached(tree, code, "# A remark.\n" + LEAF).symbols["stages.leaf"]["Known"] != before


@pytest.mark.parametrize("code", [*HIDING, *NOTHING])
def test_comments_and_docstrings_stay_fresh_where_no_code_shows_them(tree: Path, code: str) -> None:
    before = reached(tree, code)

    assert reached(tree, code, "# A remark.\n" + LEAF.replace("Doc.", "Other.")) == before
