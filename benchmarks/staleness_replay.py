"""The `python` of the stages that benchmarks/staleness.py starts: it runs them, or replays a recorded run.

A run is recorded in the store: its outputs with everything they depend on, that is its command, the bytes of its
inputs, the values of its parameters, every first-party module loaded at its end (without comments, docstrings and
formatting), and every other file of the project that it opened. A rival's stage takes its outputs from the store if all
of that is the same, so that sixty edits under five tools take less than an hour: the benchmark measures which stages
each tool *starts*. modelmake's stages are recorded and never replayed. Nothing here knows keys or lock files.
"""

import ast
import hashlib
import json
import os
import runpy
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

NO_CODE = (
    "params.yaml",
    "dvc.lock",
    "uv.lock",
    ".python-version",
    "keys",
    ".dvc",
    ".git",
)  # files that `main` does not read
STATE = Path(".dvc/cache/modelmake")  # the state folder: run log and finished outputs
SANDBOX = ".dvc/tmp/modelmake/"  # the sandboxes of stages, by name
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def digest(path: Path) -> str:
    """The hash of a file, or of a folder with its file names, without Snakemake's timestamps; "" if absent."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = sorted(p for p in path.rglob("*") if p.is_file() and p.name != ".snakemake_timestamp")
    listed = [[str(p.relative_to(path)), digest(p)] for p in files]
    return hashlib.md5(json.dumps(listed).encode()).hexdigest() if path.is_dir() else ""


def cached(file: Path, make: Callable[[], str]) -> str:
    """The text of a file, which is made if it is not there: parsing takes longer than replaying a stage."""
    if not file.exists():
        partial = file.with_name(f".{uuid.uuid4().hex}")
        partial.parent.mkdir(exist_ok=True)
        partial.write_text(make())
        partial.rename(file)
    return file.read_text()


def code(path: Path, work: Path) -> str:
    """The hash of a module's syntax tree without docstrings, unless it reads some; "" if absent."""
    return cached(work / "code" / digest(path), lambda: _code(path.read_bytes())) if path.is_file() else ""


def _code(source: bytes) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree) if b"__doc__" not in source else ():
        if isinstance(node, DOCUMENTED) and node.body and isinstance(node.body[0], ast.Expr):
            node.body = node.body[1:] if isinstance(node.body[0].value, ast.Constant) else node.body
    return hashlib.md5(ast.dump(tree).encode()).hexdigest()


def values(work: Path) -> dict[str, Any]:
    """params.yaml as DVC reads it."""
    file = Path("params.yaml")

    def parsed() -> str:
        from ruamel.yaml import YAML

        return json.dumps(YAML(typ="safe", pure=True).load(file.read_text("utf-8")))

    return json.loads(cached(work / "values" / digest(file), parsed))


def described(work: Path, parameters: dict[str, Any]) -> Path:
    """The path, without suffix, of the graph that these parameters resolve to."""
    return work / "graphs" / hashlib.md5(json.dumps(parameters).encode()).hexdigest()


def section(values: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        values = values[name]
    return values


class Stage:
    """The stage that a command line runs, and its place in the store."""

    def __init__(self, settings: dict[str, Any], module: str, flags: list[str]) -> None:
        self.settings, self.module, self.root, self.work = settings, module, Path.cwd(), Path(settings["work"])
        self.taken = False  # published from finished outputs without running
        paths = set(flags[1::2])
        parameters = values(self.work)
        graph = f"{described(self.work, parameters)}.json" if settings["replay"] else "keys/graph.json"
        nodes = json.loads(Path(graph).read_bytes()).items()
        self.name, node = next((n, d) for n, d in nodes if d["module"] == module and set(d["outs"]) <= paths)
        self.outs = [Path(out) for out in node["outs"]]
        self.inputs = sorted(paths & set(node["deps"]))
        inputs = {path: digest(Path(path)) for path in self.inputs}
        state = [module, flags, inputs, {dotted: section(parameters, dotted) for dotted in node["params"]}]
        self.bucket = Path(settings["store"], hashlib.md5(json.dumps(state).encode()).hexdigest())
        self.opened: set[str] = set()

    def replay(self) -> bool:
        """Copies the outputs of a recorded run that depended on the same; false if there is none."""
        for trace in sorted(self.bucket.glob("*/trace.json")):
            recorded = json.loads(trace.read_bytes())
            same = all(code(Path(p), self.work) == h for p, h in recorded["modules"].items())
            if same and all(digest(Path(p)) == h for p, h in recorded["files"].items()):
                for number, out in enumerate(self.outs):
                    _copy(trace.parent / str(number), out)
                return True
        return False

    def run(self) -> int:
        """Runs the stage in this process and returns its exit code. A run that succeeds is recorded."""
        if self.settings["replay"]:  # rivals have no store of finished outputs
            shutil.rmtree(STATE, ignore_errors=True)
        sys.path[0], sys.argv[:] = str(self.root), ["-m", *sys.argv[3:]]
        sys.addaudithook(self._on_event)
        try:
            runpy.run_module(self.module, run_name="__main__", alter_sys=True)
            result = 0
        except SystemExit as end:
            result = end.code if isinstance(end.code, int) else int(end.code is not None)
        os.chdir(self.root)
        if result == 0:
            last = (STATE / "runs.jsonl").read_text().splitlines()[-1]
            self.taken = json.loads(last)["outcome"] == "taken"
        if result == 0 and not self.taken:
            self._record()
        return result

    def _on_event(self, event: str, arguments: tuple) -> None:
        if event not in ("open", "os.mkdir") or not isinstance(arguments[0], str):
            return
        path = os.path.relpath(arguments[0], self.root)
        if path.startswith(SANDBOX):
            path = path.split(os.sep, 4)[-1]
        if event == "open":
            self.opened.add(path)
        waiting = self.settings["during"] == self.name and self.settings["inside"]
        if waiting and os.getcwd() != str(self.root) and any(Path(path).is_relative_to(out) for out in self.outs):
            self.settings["during"] = ""  # its inputs are read and its first output begins: time for the edit
            apply(self.settings, self.root)

    def _record(self) -> None:
        known = [*self.inputs, *map(str, self.outs), *NO_CODE]
        read = [p for p in self.opened if not p.startswith("..") and not p.endswith((".py", ".pyc"))]
        read = [p for p in read if Path(p).is_file()]
        read = [p for p in read if not any(Path(p).is_relative_to(k) for k in known)]
        files = (
            getattr(m, "__file__", "") for n, m in list(sys.modules.items()) if n.startswith(("stages", "modelmake"))
        )
        modules = {os.path.relpath(f) for f in files if f} | {f"{self.module.replace('.', '/')}.py"}
        trace = {
            "stage": self.name,
            "modules": {p: code(Path(p), self.work) for p in sorted(modules) if not p.startswith("..")},
            "files": {p: digest(Path(p)) for p in sorted(read)},
        }
        partial = self.bucket / f".{uuid.uuid4().hex}"
        partial.mkdir(parents=True)
        for number, out in enumerate(self.outs):
            _copy(out, partial / str(number))
        (partial / "trace.json").write_text(json.dumps(trace))
        partial.rename(partial.with_name(partial.name[1:]))


def apply(settings: dict[str, Any], root: Path) -> None:
    """Makes the edit that is due while a stage runs."""
    Path(settings["log"]).with_suffix(".edited").touch()
    subprocess.run(settings["apply"], check=True, cwd=root)


def _copy(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)  # a hard link of DVC's: outputs of the same bytes are one file
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)


def main() -> None:
    settings = json.loads(os.environ.get("STALENESS", "{}"))
    if sys.argv[1:2] != ["-m"] or not settings or (sys.argv[2] == "stages.preflight" and not settings["replay"]):
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
    if sys.argv[2] == "stages.preflight":  # rivals have no keys; two stages read what is beside them
        Path("keys").mkdir(exist_ok=True)
        shutil.copyfile(f"{described(Path(settings['work']), values(Path(settings['work'])))}.json", "keys/graph.json")
        Path("keys/needs.json").write_text("[]\n")  # mix only refuses by it
        return
    if settings["replay"]:
        os.environ.pop("DVC_STAGE", None)  # no keys, so the harness must not compare any
    stage = Stage(settings, sys.argv[2], sys.argv[3:])
    after = Path(settings["log"]).with_suffix(".edited").exists()
    result = 0 if settings["replay"] and stage.replay() else stage.run()
    if settings["during"] == stage.name and not settings["inside"]:
        apply(settings, Path.cwd())
    with Path(settings["log"]).open("a") as log:
        log.write(json.dumps({"stage": stage.name, "after": after, "done": result == 0, "taken": stage.taken}) + "\n")
    sys.exit(result)


if __name__ == "__main__":
    main()
