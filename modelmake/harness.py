"""The harness in which every stage runs.

It reads the flags and parameters that a stage's `main` asks for and runs it in a sandbox that holds its inputs and
nothing else. It computes the stage's key before and after the run, stores the finished outputs by the hash of what they
were built from, publishes them if nothing changed meanwhile, ends with the dvc that started it, and writes one line to
the run log. It imports nothing heavy, so that errors come in the first second.

What `main` sees is decided in other modules, and they alone are in the keys: modelmake/keys/carrying.py says which.
"""

import contextlib
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import __main__
from modelmake import artifacts, params
from modelmake.errors import UserError
from modelmake.keys import carrying, key_file, loaded_packages, parse_cache, stage_key
from modelmake.running import (
    arguments,
    disk_full,
    environment,
    launcher,
    main_call,
    opened_files,
    platform,
    run_log,
    sandbox,
    sandbox_layout,
    supervision,
    work_store,
    workers,
)
from modelmake.running.arguments import Stage
from modelmake.running.main_call import Identities
from modelmake.running.sandbox import Sandbox
from modelmake.running.work_store import Work
from modelmake.running.workers import Worker


def run(main: Callable[..., str]) -> None:
    """Runs a stage's `main` from the command line and exits: 0 published, 1 failed and said why, 130 interrupted."""
    module = __main__.__spec__.name
    name = os.environ.get("DVC_STAGE", "").rpartition(":")[2] or module
    if worker := workers.joined():
        return _take_part(worker, main, name, module)
    imported = time.process_time() - IMPORTED_CPU_S  # by the stage's module and everything it imports
    record: dict[str, Any] = {"stage": name, "outcome": "failed", "own_cpu_seconds": imported}
    started, code, root = time.time(), 1, Path.cwd()
    try:
        opened_files.pause()
        print(f"{name}: {_run(arguments.read(main, name, module, root), main, record)}", flush=True)
        code = 0
    except UserError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print(f"{name}: interrupted: nothing published; `dvc repro` runs it again", file=sys.stderr)
        record["outcome"], code = "interrupted", 130
    except Exception as error:
        if not disk_full.is_disk_full(error):
            raise
        print(disk_full.message(name, error), file=sys.stderr)
    finally:
        _log(root, record, started)
    sys.exit(code)


def _run(stage: Stage, main: Callable[..., str], record: dict[str, Any]) -> str:
    """Runs a stage, or finds its outputs in the store; publishes them and returns the line of counts."""
    environment.check(stage.name, stage.arguments.get("machine"))
    parse_cache.load(stage.root)
    key, values = _key(stage), arguments.values(stage)
    with sandbox.enter(stage.root, stage.name, stage.inputs, main_call.links(key)) as box:
        supervision.die_with_dvc()
        command = ["python", "-m", stage.module, *sys.argv[1:]]
        code = {key_file.path_of(stage.name): artifacts.md5(stage_key.to_json(key).encode())}
        identities = main_call.identities(stage, command, box.md5s, code)
        record["identity"] = built_from = identities.built_from
        work_store.prune(stage.root, stage.name)
        with work_store.lock(stage.root, stage.name, built_from):
            work = work_store.load(stage.root, stage.name, built_from)
            if work is not None:
                record["outcome"] = "taken"
            else:
                work = _compute(stage, main, key, values, box, identities, record)
                record["outcome"] = "kept"
            if changed := _changed(stage, key, values, box):
                raise UserError(
                    f"{stage.name}: {', '.join(changed)} changed while the stage ran: nothing published; run `dvc "
                    "repro` again, or undo the change: the finished outputs are kept and then published at once"
                )
            work_store.publish(stage.root, work)
            record["outs"] = work.md5s
            if record["outcome"] == "kept":
                record["outcome"] = "done"
    return work.line


def _take_part(worker: Worker, main: Callable[..., str], name: str, module: str) -> None:
    """Runs a stage's `main` as one of several processes, in the sandbox that is there, and tells its line of counts."""
    root = Path.cwd()

    def explain(error: Exception) -> str:
        return disk_full.message(name, error) if disk_full.is_disk_full(error) else ""

    with launcher.telling(worker, explain):
        opened_files.pause()
        stage = workers.own_share(arguments.read(main, name, module, root), worker)
        environment.check(stage.name, stage.arguments.get("machine"))
        parse_cache.load(root)
        key = _key(stage)
        if launcher.proof(key, arguments.values(stage)) != worker.proof:
            raise UserError(f"{name}: it changed while it started: nothing published; run `dvc repro` again")
        with sandbox_layout.inside(Path(worker.sandbox), root):
            workers.take_part(worker)
            line = _call(stage, main, key, Path(worker.sandbox), Identities(*worker.identities), {}, {})
            launcher.tell(worker, {"line": line})


def _compute(
    stage: Stage, main: Callable[..., str], key: dict[str, Any], values: dict[str, Any], box: Sandbox,
    identities: Identities, record: dict[str, Any],
) -> Work:  # fmt: skip
    """Runs a stage, in as many processes as its parameters say, and stores its outputs."""
    processes = launcher.count(stage)
    if processes > 1:
        line = launcher.run(stage, processes, box.folder, identities, launcher.proof(key, values))
    else:
        line = _call(stage, main, key, box.folder, identities, box.measured, record)
    for path in stage.outputs:
        if not path.exists():
            raise AssertionError(f"{stage.name}: main did not write {path}")
    if not box.intact():
        raise UserError(
            f"{stage.name}: an input file changed while the stage ran: nothing published; run `dvc repro` again"
        )
    outputs = {path.as_posix(): path for path in stage.outputs}
    return work_store.save(stage.root, stage.name, identities.built_from, outputs, line)


def _call(
    stage: Stage, main: Callable[..., str], key: dict[str, Any], folder: Path, identities: Identities,
    measured: dict[str, Any], record: dict[str, Any],
) -> str:  # fmt: skip
    """Calls a stage's `main` in its sandbox, and checks what it loaded and read."""
    with _stage_time(record), opened_files.record(stage.root):
        main_call.prepare(stage, key["symbols"])
    if _key(stage) != key:
        raise UserError(f"{stage.name}: its code changed while it started: nothing published; run `dvc repro` again")
    with _stage_time(record), opened_files.record(stage.root) as opened:
        line = main_call.call(main, stage, folder, identities, measured)
    _check_covered(stage, key, opened)
    return line


@contextlib.contextmanager
def _stage_time(record: dict[str, Any]) -> Iterator[None]:
    """Counts the CPU time of the block as the stage's own, not the harness's."""
    before = time.process_time()
    yield
    record["own_cpu_seconds"] = record.get("own_cpu_seconds", 0) + time.process_time() - before


def _check_covered(stage: Stage, key: dict[str, Any], opened: set[str]) -> None:
    """Checks that `main` ran only code and read only files that its key or its inputs cover."""
    modules = {name for name in sys.modules if name.partition(".")[0] in stage_key.FIRST_PARTY}
    if modules := sorted(name for name in modules - key["symbols"].keys() if not carrying.CUT.carries(name)):
        raise UserError(
            f"{stage.name}: ran {', '.join(modules)}, which its key does not cover: import it by an import statement, "
            "or name it in `modules()` of its params; nothing published"
        )
    loaded = {name: module for name, module in sys.modules.items() if name not in opened_files.modules_at_start}
    lock = stage.root / "uv.lock"
    if files := loaded_packages.elsewhere(lock, loaded, opened_files.path_at_start, stage_key.FIRST_PARTY):
        raise UserError(
            f"{stage.name}: imported {', '.join(files)}: want modules of {' and '.join(stage_key.FIRST_PARTY)}, and "
            "packages in uv.lock; move it there; nothing published"
        )
    if copies := loaded_packages.copies(lock, loaded):
        raise UserError(
            f"{stage.name}: loaded an installed copy of {', '.join(copies)}, of which uv.lock names a folder: run "
            "`uv sync`, or lock a wheel of it if it is compiled; nothing published"
        )
    covered = [*key["packages"], *carrying.PACKAGES]
    if packages := loaded_packages.uncovered(lock, loaded, covered):
        raise UserError(
            f"{stage.name}: loaded {', '.join(packages)}, which its key does not cover: `uv add` what uv.lock lacks, "
            "or name what a library imports by itself in pyproject.toml (imports-if-there); nothing published"
        )
    if files := opened_files.uncovered(stage.root, opened, key):
        raise UserError(
            f"{stage.name}: read {', '.join(files)}, which is neither an input nor in its key: declare it in "
            "dvc.yaml, or, if it belongs to the code, write its path from the project's root there; nothing published"
        )


def _key(stage: Stage) -> dict[str, Any]:
    """The key of the code now.

    Raises:
        UserError: DVC runs the stage, and preflight wrote another key: outputs would be recorded under that one.
    """
    key = _computed_key(stage)
    if "DVC_STAGE" in os.environ:
        recorded = key_file.read(stage.root, stage.name)
        if recorded != key:
            raise UserError(
                f"{stage.name}: code, packages or parameters changed since preflight "
                f"({', '.join(stage_key.difference(recorded, key))}): nothing published; run `dvc repro` again"
            )
    return key


def _computed_key(stage: Stage) -> dict[str, Any]:
    sections = [stage.arguments[argument] for argument in stage.sections]
    values = params.undecided(sections)
    return stage_key.compute(stage.root, stage.module, *params.selected_code(sections), values=values)


def _changed(stage: Stage, key: dict[str, Any], values: dict[str, Any], box: Sandbox) -> list[str]:
    """The inputs, parameters and code that have changed since the stage began."""
    now = arguments.values(stage)
    sections = [f"{arguments.PARAMS}: {section}" for section in values if values[section] != now[section]]
    return [*box.changed(), *sections, *stage_key.difference(key, _computed_key(stage))]


def _log(root: Path, record: dict[str, Any], started: float) -> None:
    """Writes one line to the run log: facts of this run and machine, which no artifact holds."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    harness_s = time.process_time() - record.pop("own_cpu_seconds")
    line = {
        **record,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 2),
        "cpu_seconds": round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 2),
        "harness_cpu_seconds": round(harness_s, 2),
        "peak_mib": max(_peak_kib(own.ru_maxrss), children.ru_maxrss) >> (10 if sys.platform == "linux" else 20),
        "stack": platform.read(key_file.read(root, record["stage"])),
    }
    try:
        run_log.append(root, line)
    except OSError as error:  # the outputs are good without a line in the log
        print(f"{record['stage']}: {run_log.path(root)}: not logged: {error.strerror}", file=sys.stderr)


def _peak_kib(maxrss: int) -> int:
    """Peak memory of this process. On Linux `ru_maxrss` includes the process that started it (see getrusage(2))."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return maxrss
    return int(status.partition("VmHWM:")[2].split()[0])


IMPORTED_CPU_S = time.process_time()  # of starting Python and importing the harness
