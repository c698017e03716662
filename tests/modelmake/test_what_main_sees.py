"""A stage's `main` finds its process as a bare interpreter leaves it, but for what the deciding modules decide."""

import json
import os
import subprocess
import sys

from tests.modelmake.conftest import StageProject

PROCESS = """
import builtins, decimal, gc, json, locale, os, random, signal, sys, threading, time
os.umask(mask := os.umask(0))
seen = {
    "environment": dict(os.environ), "path": sys.path[1:], "umask": mask, "locale": locale.setlocale(locale.LC_ALL),
    "recursion": sys.getrecursionlimit(), "traced": sys.gettrace() is not None, "time zone": time.tzname,
    "signals": {str(n): getattr(h := signal.getsignal(n), "__name__", str(h)) for n in sorted(signal.valid_signals())},
    "threads": [thread.name for thread in threading.enumerate()], "builtins": sorted(vars(builtins)),
    "seeded": random.Random(0).random() == random.random(), "garbage": [gc.isenabled(), gc.get_threshold()],
    "output": [sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__], "digits": decimal.getcontext().prec,
    "meta path": [getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path],
    "limits": [repr(__import__("resource").getrlimit(n)) for n in range(10)],
}
"""
GIVEN = """
seen["given"] = {
    "folder": os.path.relpath(os.getcwd(), Path(__file__).parents[1]), "argv": sys.argv[1:],
    "files": sorted(str(path) for path in Path().rglob("*") if path.parts[0] != ".dvc"),
    "arguments": [repr(source), repr(loud), repr(params)],
}
loud.write_text(json.dumps(seen))
return ""
"""
ENVIRONMENT = {  # of modelmake/running/threads.py
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}  # fmt: skip


def test_main_sees_what_the_deciding_modules_decide_and_nothing_else(project: StageProject) -> None:
    project.write_stage(PROCESS + GIVEN)
    (project.root / "other.txt").touch()
    environment = {name: value for name, value in os.environ.items() if name not in ("DVC_STAGE", "PYTHONPATH")}
    program = [sys.executable, "-c", f"{PROCESS}\nprint(json.dumps(seen))"]
    bare = json.loads(subprocess.run(program, env=environment, check=True, capture_output=True).stdout)

    assert project.run()[0] == 0

    assert json.loads(project.published()["loud.txt"]) == {
        **bare,
        "environment": bare["environment"] | ENVIRONMENT,
        "given": {
            "folder": ".dvc/tmp/modelmake/stages.shout", "argv": ["--source", "source.txt", "--loud", "made/loud.txt"],
            "files": ["made", "source.txt"],
            "arguments": ["PosixPath('source.txt')", "PosixPath('made/loud.txt')", "Shout(mark='!')"],
        },
    }  # fmt: skip
