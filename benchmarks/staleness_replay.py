"""What `python` is for the stages that benchmarks/staleness.py starts: it runs them, and replays what was run before.

A stage that runs leaves its outputs in the store with what it depended on: its command, the bytes of its inputs, the
values of its parameters, every first-party module that it had loaded when it ended (comments, docstrings and formatting
aside), and every other file of the project that it opened. Rivals take their outputs from there wherever all of that is
the same, so that sixty edits under five tools end within the hour: what is measured is which stages each tool *starts*.
modelmake's stages are recorded and never replayed. Nothing here knows keys or lock files.
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
from pathlib import Path
from typing import Any

NO_CODE = ("params.yaml", "dvc.lock", "uv.lock", ".python-version", "keys", ".dvc", ".git")  # not read by `main`
KEPT = Path(".dvc/cache/modelmake")  # the harness's: its log, and finished work that is not recorded
SANDBOX = ".dvc/tmp/modelmake/"  # the folders that stages work in, by name
OWN = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def digest(path: Path) -> str:
    """Of a file, or of a folder with the names in it; Snakemake's empty marks aside. "" where there is nothing."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = sorted(p for p in path.rglob("*") if p.is_file() and p.name != ".snakemake_timestamp")
    listed = [[str(p.relative_to(path)), digest(p)] for p in files]
    return hashlib.md5(json.dumps(listed).encode()).hexdigest() if path.is_dir() else ""


def code(path: Path) -> str:
    """Hash of a module's syntax tree without docstrings."""
    if not path.is_file():
        return ""
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, OWN) and node.body and isinstance(node.body[0], ast.Expr):
            node.body = node.body[1:] if isinstance(node.body[0].value, ast.Constant) else node.body
    return hashlib.md5(ast.dump(tree).encode()).hexdigest()


def values(work: Path) -> dict[str, Any]:
    """params.yaml as DVC reads it; read once for all stages, parsing it takes longer than replaying one."""
    read = work / "values" / digest(Path("params.yaml"))
    if not read.exists():
        from ruamel.yaml import YAML

        partial = read.with_name(f".{uuid.uuid4().hex}")
        partial.parent.mkdir(exist_ok=True)
        partial.write_text(json.dumps(YAML(typ="safe", pure=True).load(Path("params.yaml").read_text("utf-8"))))
        partial.rename(read)
    return json.loads(read.read_bytes())


def described(work: Path, parameters: dict[str, Any]) -> Path:
    """Where the graph is left that these parameters resolve to."""
    return work / "graphs" / hashlib.md5(json.dumps(parameters).encode()).hexdigest()


def section(found: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        found = found[name]
    return found


class Stage:
    """The one that a command line is of, and the place in the store of what it did."""

    def __init__(self, settings: dict[str, Any], module: str, flags: list[str]) -> None:
        self.settings, self.module, self.root = settings, module, Path.cwd()
        self.taken = False  # finished before and not recorded: published without running
        given = set(flags[1::2])
        parameters = values(Path(settings["work"]))
        graph = f"{described(Path(settings['work']), parameters)}.json" if settings["replay"] else "keys/graph.json"
        nodes = json.loads(Path(graph).read_bytes()).items()
        self.name, node = next((n, d) for n, d in nodes if d["module"] == module and set(d["outs"]) <= given)
        self.outs = [Path(out) for out in node["outs"]]
        self.inputs = sorted(given & set(node["deps"]))
        read = {path: digest(Path(path)) for path in self.inputs}
        state = [module, flags, read, {dotted: section(parameters, dotted) for dotted in node["params"]}]
        self.bucket = Path(settings["store"], hashlib.md5(json.dumps(state).encode()).hexdigest())
        self.opened: set[str] = set()

    def replay(self) -> bool:
        """Whether it had been run with all the same, and its outputs are back."""
        for trace in sorted(self.bucket.glob("*/trace.json")):
            found = json.loads(trace.read_bytes())
            same = all(code(Path(p)) == h for p, h in found["modules"].items())
            if same and all(digest(Path(p)) == h for p, h in found["files"].items()):
                for number, out in enumerate(self.outs):
                    _copy(trace.parent / str(number), out)
                return True
        return False

    def run(self) -> int:
        """Its exit code, in this process. A run that ends well is stored."""
        if self.settings["replay"]:  # rivals keep no finished work
            shutil.rmtree(KEPT, ignore_errors=True)
        sys.path[0], sys.argv[:] = str(self.root), [self.module, *sys.argv[3:]]
        sys.addaudithook(self._heard)
        try:
            runpy.run_module(self.module, run_name="__main__", alter_sys=True)
            result = 0
        except SystemExit as end:
            result = end.code if isinstance(end.code, int) else int(end.code is not None)
        os.chdir(self.root)
        if result == 0:
            last = (KEPT / "runs.jsonl").read_text().splitlines()[-1]
            self.taken = json.loads(last)["outcome"] == "taken"
        if result == 0 and not self.taken:
            self._store()
        return result

    def _heard(self, event: str, arguments: tuple) -> None:
        if event not in ("open", "os.mkdir") or not isinstance(arguments[0], str):
            return
        path = os.path.relpath(arguments[0], self.root)
        if path.startswith(SANDBOX):
            path = path.split(os.sep, 4)[-1]
        if event == "open":
            self.opened.add(path)
        ready = self.settings["during"] == self.name and self.settings["inside"]
        if ready and os.getcwd() != str(self.root) and any(Path(path).is_relative_to(out) for out in self.outs):
            self.settings["during"] = ""  # its inputs are read, its first output begins: now they change
            apply(self.settings, self.root)

    def _store(self) -> None:
        mine = [*self.inputs, *map(str, self.outs), *NO_CODE]
        read = [p for p in self.opened if not p.startswith("..") and not p.endswith((".py", ".pyc"))]
        read = [p for p in read if Path(p).is_file()]
        read = [p for p in read if not any(Path(p).is_relative_to(m) for m in mine)]
        files = (
            getattr(m, "__file__", "") for n, m in list(sys.modules.items()) if n.startswith(("stages", "modelmake"))
        )
        modules = {os.path.relpath(f) for f in files if f} | {f"{self.module.replace('.', '/')}.py"}
        found = {
            "stage": self.name,
            "modules": {p: code(Path(p)) for p in sorted(modules) if not p.startswith("..")},
            "files": {p: digest(Path(p)) for p in sorted(read)},
        }
        partial = self.bucket / f".{uuid.uuid4().hex}"
        partial.mkdir(parents=True)
        for number, out in enumerate(self.outs):
            _copy(out, partial / str(number))
        (partial / "trace.json").write_text(json.dumps(found))
        partial.rename(partial.with_name(partial.name[1:]))


def apply(settings: dict[str, Any], root: Path) -> None:
    """Makes the edit that is to come while a stage runs."""
    Path(settings["log"]).with_suffix(".edited").touch()
    subprocess.run(settings["apply"], check=True, cwd=root)


def _copy(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)


def main() -> None:
    settings = json.loads(os.environ.get("STALENESS", "{}"))
    if sys.argv[1:2] != ["-m"] or not settings or (sys.argv[2] == "stages.preflight" and not settings["replay"]):
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
    if sys.argv[2] == "stages.preflight":  # rivals have no keys; the report wants the graph
        Path("keys").mkdir(exist_ok=True)
        shutil.copyfile(f"{described(Path(settings['work']), values(Path(settings['work'])))}.json", "keys/graph.json")
        return
    if settings["replay"]:
        os.environ.pop("DVC_STAGE", None)  # no keys, so nothing for the harness to compare
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
