"""What a stage really executes is in its key: nothing reached at run time is missed by reading the code."""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import tiny

WATCH = """
import atexit, json, os, sys, threading

SEEN = set()  # code objects; those of functions alone are looked at: bodies of modules and classes run at import

def watch(frame, event, argument):
    if event == "call":
        SEEN.add(frame.f_code)

def write():
    sys.setprofile(None)
    root = os.environ["WATCHED"] + os.sep
    stage = os.environ.get("DVC_STAGE", "").rpartition(":")[2]
    found = {}
    for code in SEEN:
        if stage and code.co_flags & 1 and code.co_filename.startswith((root + "stages", root + "modelmake")):
            module = code.co_filename[len(root):].removesuffix(".py").removesuffix("/__init__").replace(os.sep, ".")
            found.setdefault(module, []).append(code.co_qualname)
    if found:
        with open(os.path.join(os.environ["WATCH_INTO"], stage + ".json"), "w") as file:
            json.dump(found, file)

if sys.argv[:1] == ["-m"]:
    atexit.register(write)
    threading.setprofile(watch)
    sys.setprofile(watch)
"""


@pytest.mark.slow
def test_every_function_that_ran_is_in_the_key_of_its_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "watch").mkdir()
    (tmp_path / "seen").mkdir()
    (tmp_path / "watch/sitecustomize.py").write_text(WATCH)
    project = tiny(tmp_path / "project")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "watch"))
    monkeypatch.setenv("WATCHED", os.path.realpath(project.path))
    monkeypatch.setenv("WATCH_INTO", str(tmp_path / "seen"))

    project.repro()

    seen = {file.stem: json.loads(file.read_text()) for file in (tmp_path / "seen").iterdir()}
    stages = {file.stem for file in (project.path / "keys").iterdir()} - {"graph"}
    assert {name.replace("@", ".") for name in seen} - {"preflight"} == stages, "every stage was watched"
    missed = []
    for stage, modules in seen.items():
        if stage == "preflight":
            continue
        key = project.json(f"keys/{stage.replace('@', '.')}.json")["symbols"]
        assert "main" in {name for names in modules.values() for name in names}
        for module, names in modules.items():
            tops = {name.partition(".")[0] for name in names} - {"<module>"}
            missed += [(stage, module, top) for top in tops if top not in key.get(module, {}) and top[0] != "<"]
    assert not missed
