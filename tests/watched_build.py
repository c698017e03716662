"""A build that records the functions that each stage calls."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import Project, tiny

SITECUSTOMIZE = """
import atexit, json, os, sys, threading

CALLED = set()  # code objects
STAGE = os.environ.get("DVC_STAGE", "").rpartition(":")[2]

def record(frame, event, argument):
    CALLED.add(frame.f_code)  # returns None: no event for each line

def write():
    sys.settrace(None)
    root = os.environ["WATCHED"] + os.sep
    found = {}
    for code in CALLED.copy():  # other threads may still add
        # functions only: bodies of modules and classes run at import
        if code.co_flags & 1 and code.co_filename.startswith((root + "stages", root + "modelmake")):
            module = code.co_filename[len(root):].removesuffix(".py").removesuffix("/__init__").replace(os.sep, ".")
            found.setdefault(module, []).append(code.co_qualname)
    if found:
        with open(os.path.join(os.environ["WATCHED_CALLS"], STAGE + ".json"), "w") as file:
            json.dump(found, file)

if STAGE and sys.argv[:1] == ["-m"]:
    atexit.register(write)
    threading.settrace(record)
    sys.settrace(record)
"""


def build(folder: Path) -> None:
    """Builds the tiny project with Snakemake, two stages at a time."""
    hook = folder.with_name(f"{folder.name}.hook")
    for new in (hook, calls_folder(folder)):
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
    (hook / "sitecustomize.py").write_text(SITECUSTOMIZE)
    project = tiny(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(hook))
        patch.setenv("WATCHED", os.path.realpath(folder))
        patch.setenv("WATCHED_CALLS", str(calls_folder(folder)))
        code, output = project.run("snakemake", "-j2")
    assert code == 0, output
    assert "preflight" in calls(project), output  # where a hook that fails says why


def calls_folder(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.calls")


def calls(project: Project) -> dict[str, dict[str, list[str]]]:
    """{stage: {module: [qualified names of functions]}} of a watched build."""
    return {file.stem: json.loads(file.read_text()) for file in calls_folder(project.path).iterdir()}
