"""dvc.yaml, the stages' mains, the chapters of params and keys/ say the same, in both directions."""

import ast
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from modelmake import params, signature
from modelmake.dvc import graph
from modelmake.keys import key_file
from stages import preflight

ROOT = Path(__file__).parents[1]
TRACKERS = {"stages.training.tracker_env", "stages.training.tracker_process"}
BOXES = {f"stages.evaluating.running_code.inside.{side}" for side in ("answer", "tests")}
COMMANDS = {"stages.commands.cli", *TRACKERS, *BOXES}  # modules with a `main` that are no stage
STAGES = graph.stages(ROOT)
HARNESSED = {name: stage for name, stage in STAGES.items() if name != "preflight"}
MODULES = sorted({stage.module for stage in HARNESSED.values()})


def source(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever it does; of `from a import b` both a and a.b."""
    package = path.relative_to(ROOT).parent.parts
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1], node.module] if node.level else [node.module]
            start = ".".join(part for part in base if part)
            names |= {start} | {f"{start}.{alias.name}" for alias in node.names}
    return names


def test_every_command_runs_a_stage_module_with_a_main() -> None:
    assert all(stage.module.startswith("stages.") for stage in STAGES.values())
    assert all(callable(importlib.import_module(module).main) for module in MODULES)


def test_every_module_with_a_main_guard_is_a_stage_of_the_graph() -> None:
    guarded = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "stages").rglob("*.py")
        if re.search(r"^if __name__ == ", path.read_text(), re.MULTILINE)
    }

    in_dvc_yaml = set(re.findall(r"python -m (stages\.\w+)", (ROOT / "dvc.yaml").read_text()))  # also without items
    assert guarded - COMMANDS == in_dvc_yaml >= {*MODULES}


@pytest.mark.parametrize("stage", HARNESSED.values(), ids=list(HARNESSED))
def test_flags_deps_outs_and_params_are_those_of_main(stage: graph.Stage) -> None:
    assert graph.mismatches(stage, importlib.import_module(stage.module).main) == []


@pytest.mark.parametrize("module", MODULES)
def test_a_stages_docstring_names_each_of_its_inputs_outputs_and_sections(module: str) -> None:
    text = ast.get_docstring(ast.parse(source(module).read_bytes())) or ""
    spec = signature.read(importlib.import_module(module).main)
    inputs, outputs, sections = (
        re.split(r"^\w+:", text.partition(f"{head}:")[2], maxsplit=1, flags=re.MULTILINE)[0]
        for head in ("Inputs", "Outputs", "Params")
    )

    assert [name for name in spec.inputs if not re.search(rf"\b{name}\b", inputs)] == []
    assert [name for name in spec.outputs if not re.search(rf"\b{name}\b", outputs)] == []
    wanted = {signature.section_of(kind, {n: f"<{n}>" for n in spec.names}) for kind in spec.sections.values()}
    assert [section for section in wanted if section not in sections] == []


def test_every_chapter_of_params_is_read_by_a_stage_and_every_stage_reads_chapters_that_there_are() -> None:
    read = {section.partition(".")[0] for stage in STAGES.values() for section in stage.params}

    chapters = set(preflight.CHAPTERS) - {"resources"}  # which dvc.yaml's meta reads
    assert chapters - preflight.OPTIONAL <= read <= chapters


def test_every_stage_reserves_what_resources_and_machine_say(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
    values = params.load(ROOT / "params.yaml")
    values["machine"]["threads"] = 3
    values["resources"]["model"]["gpu"], values["resources"]["weights"]["gpu"] = 2, 1
    (tmp_path / "params.yaml").write_text(json.dumps(values))

    stages = graph.stages(tmp_path)

    kinds = [(kind["mem_mb"], kind["minutes"]) for kind in values["resources"].values()]
    for name, stage in stages.items():
        assert (stage.meta["mem_mb"], stage.meta["minutes"]) in kinds, name
        runs_a_model = "machine" in stage.params and name != "report"  # which shows what the machine was
        assert stage.meta["cpus"] >= (3 if runs_a_model else 1), name
    gpus = {name.partition("@")[0]: stage.meta["gpu"] for name, stage in stages.items()}
    assert {name: gpu for name, gpu in gpus.items() if gpu} == {
        "base": 2, "train": 2, "answer": 2, "quantize": 1, "answer_quantized": 1,
    }  # fmt: skip


def test_every_stage_has_a_key_file_and_every_key_file_a_stage() -> None:
    wanted = {Path(s.key_file).name for s in HARNESSED.values()} | {key_file.GRAPH, preflight.NEEDS}

    assert {path.name for path in (ROOT / "keys").iterdir()} == wanted


def test_committed_keys_are_those_of_this_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    now, _ = preflight.check()

    stale = [name for name, key in now.items() if json.loads((ROOT / "keys" / name).read_text()) != key]
    assert stale == [], f"keys/ is not of this code: {', '.join(stale)}: run `dvc repro preflight`"


@pytest.mark.parametrize("module", [*MODULES, "stages.preflight"])
def test_no_stage_imports_another_stage(module: str) -> None:
    assert imported(source(module)) & {*MODULES, "stages.preflight"} == set()


def test_nothing_in_modelmake_imports_stages() -> None:
    outward = {
        str(path.relative_to(ROOT)): {name for name in imported(path) if name.partition(".")[0] == "stages"}
        for path in (ROOT / "modelmake").rglob("*.py")
    }

    assert {name: found for name, found in outward.items() if found} == {}


def words(path: Path) -> set[str]:
    """Every word in the names and strings of a file's code; comments and docstrings are free to give examples."""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    values = (value for node in ast.walk(tree) for _, value in ast.iter_fields(node) if isinstance(value, str))
    return {word.lower() for value in values for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", value)}


def test_nothing_in_modelmake_knows_language_models() -> None:
    """A project tells it through `modelmake.domain`.

    PyTorch is named, as the run log has the GPU that it used; library functions that show docstrings; and the first
    letters of variables of the environment that libraries read.
    """
    domain = {
        "adapter", "assistant", "chat", "gguf", "llama", "logits", "lora", "peft", "perplexity", "prompt", "role",
        "safetensors", "sft", "shingle", "token", "tokenizer", "tokens", "transformers", "trl",
    }  # fmt: skip
    found = {str(path.relative_to(ROOT)): words(path) & domain for path in (ROOT / "modelmake").rglob("*.py")}

    assert {name: known for name, known in found.items() if known} == {
        "modelmake/keys/unnamed.py": {"chat"}, "modelmake/running/environment.py": {"llama"},
    }  # fmt: skip
    assert {"safetensors", "gguf"} <= words(ROOT / "stages/commands/domain.py")


def test_nothing_in_a_room_imports_a_stage() -> None:
    """Only commands may: they are no part of a build."""
    paths = [p for p in (ROOT / "stages").glob("*/**/*.py") if p.relative_to(ROOT).parts[1] != "commands"]
    assert len(paths) > 50

    found = {str(path.relative_to(ROOT)): imported(path) & {*MODULES, "stages.preflight"} for path in paths}
    assert {name: modules for name, modules in found.items() if modules} == {}


def test_one_module_alone_imports_dvc() -> None:
    paths = [*(ROOT / "modelmake").rglob("*.py"), *(ROOT / "stages").rglob("*.py")]

    packages = {str(p.relative_to(ROOT)): {name.partition(".")[0] for name in imported(p)} for p in paths}
    importing = {path for path, names in packages.items() if names & {"dvc", "dvc_data"}}

    assert importing == {"modelmake/dvc/internals.py"}


def compiled(tree: ast.Module) -> list[ast.FunctionDef]:
    """The functions of a module that numba compiles."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [f for f in functions if any("njit" in ast.unparse(decorator) for decorator in f.decorator_list)]


def test_compiled_functions_use_nothing_of_another_file() -> None:
    """Numba compares a compiled function with its own file alone, so it would run an old version of the other."""
    trees = {path: ast.parse(path.read_bytes()) for path in (ROOT / "stages").rglob("*.py")}
    kernels = [(path, function) for path, tree in trees.items() for function in compiled(tree)]
    assert len(kernels) > 5

    for path, function in kernels:
        statements = [node for node in ast.walk(trees[path]) if isinstance(node, ast.ImportFrom)]
        ours = [s for s in statements if (s.module or "").partition(".")[0] in ("modelmake", "stages")]
        bound = {alias.asname or alias.name for statement in ours for alias in statement.names}
        used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        assert used & bound == set(), f"{path.name}: {function.name}"


def test_no_file_is_long_unless_it_is_a_table() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lengths = {name: len((ROOT / name).read_bytes().splitlines()) for name in listed.split() if (ROOT / name).exists()}

    assert {name for name, lines in lengths.items() if lines > 300} == {"data/phrases.py"}


def test_params_import_nothing_heavy() -> None:
    allowed = {*sys.stdlib_module_names, "msgspec", "modelmake", "stages"}
    found = {n.partition(".")[0] for path in (ROOT / "stages/params").glob("*.py") for n in imported(path)}

    assert found <= allowed
