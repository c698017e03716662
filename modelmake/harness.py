"""The harness every stage runs in.

It reads the flags and parameters that a stage's `main` asks for, and lets it work in a sandbox that holds its inputs
and nothing else. It computes the stage's key before and after, keeps the finished work by what it was built from,
publishes it once all is well, dies with the dvc that started it, and leaves one line in the run log. It imports nothing
heavy: errors come in the first second.
"""

import argparse
import contextlib
import errno
import importlib
import json
import os
import re
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import __main__
from modelmake import artifacts, params, signature
from modelmake.errors import UserError
from modelmake.identity import identity
from modelmake.keys import key as keys
from modelmake.keys import key_file, symbols
from modelmake.running import platform, run_log, sandbox, state_dir, supervision, threads, work_store

PARAMS = "params.yaml"


@dataclass(frozen=True)
class _Run:
    """One stage about to run: what `main` gets, and what must still hold when it is done."""

    name: str  # as DVC addresses it; the module's name when run by hand
    module: str
    root: Path
    arguments: dict[str, Any]
    sections: dict[str, tuple[str, Any]]  # argument -> its dotted section of params.yaml and its type
    inputs: list[Path]
    outputs: list[Path]
    signature: signature.Signature  # of `main`


def run(main: Callable[..., str]) -> None:
    """Runs a stage's `main` from the command line and exits: 0 published, 1 told why not, 130 interrupted."""
    module = __main__.__spec__.name
    name = os.environ.get("DVC_STAGE", "").rpartition(":")[2] or module
    imported = time.process_time() - IMPORTED_CPU_S  # the stage's module, with all that it imports after this one
    record: dict[str, Any] = {"stage": name, "outcome": "failed", "own_cpu_seconds": imported}
    started, code, root = time.time(), 1, Path.cwd()
    try:
        print(f"{name}: {_run(_read(main, name, module, root), main, record)}", flush=True)
        code = 0
    except UserError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print(f"{name}: interrupted: nothing published; `dvc repro` runs it again", file=sys.stderr)
        record["outcome"], code = "interrupted", 130
    except Exception as error:
        if not _disk_full(error):
            raise
        print(no_space(name, error), file=sys.stderr)
    finally:
        os.chdir(root)
        _log(root, record, started)
    sys.exit(code)


def _run(stage: _Run, main: Callable[..., str], record: dict[str, Any]) -> str:
    """Does a stage's work, or takes it where it was done already; publishes it, and returns its line of counts."""
    symbols.recall(state_dir.folder(stage.root) / state_dir.PARSED)
    key, values = _key(stage), _values(stage)
    with sandbox.enter(stage.root, stage.name, stage.inputs, [*key["environments"], *key["files"], ".dvc"]) as bench:
        supervision.die_with_dvc()
        command = ["python", "-m", stage.module, *sys.argv[1:]]
        code = {key_file.path_of(stage.name): artifacts.md5(keys.written(key).encode())}
        built_from = identity(command, {**bench.md5s, **code}, values)
        record["identity"] = built_from
        work_store.prune(stage.root, stage.name)
        with work_store.held(stage.root, stage.name, built_from):
            work, record["outcome"] = work_store.take(stage.root, stage.name, built_from), "taken"
            if work is None:
                record["outcome"] = "failed"
                with _own(record):
                    _load(stage, key)
                if _key(stage) != key:
                    raise UserError(
                        f"{stage.name}: its code changed while it started: nothing published; run `dvc repro` again"
                    )
                with _own(record):
                    folders = _folders(stage, bench.folder, built_from, identity(command, code, values))
                    line = _work(stage, main, key, folders)
                if not bench.intact():
                    raise UserError(
                        f"{stage.name}: an input was written to while it ran: want them still; nothing published; "
                        "run `dvc repro` again"
                    )
                work = work_store.keep(
                    stage.root, stage.name, built_from, {p.as_posix(): p for p in stage.outputs}, line
                )
                record["outcome"] = "kept"
            if changed := _changed(stage, key, values, bench):
                raise UserError(
                    f"{stage.name}: {', '.join(changed)} changed while it ran: nothing published; run `dvc repro` "
                    "again, or put back what it was: its work is kept and then taken at once"
                )
            work_store.publish(stage.root, work)
            record["outs"] = work.md5s
            record["outcome"] = "taken" if record["outcome"] == "taken" else "done"
    return work.line


@contextlib.contextmanager
def _own(record: dict[str, Any]) -> Iterator[None]:
    """Counts what runs meanwhile as the stage's, not as the harness's."""
    before = time.process_time()
    yield
    record["own_cpu_seconds"] += time.process_time() - before


def _folders(stage: _Run, work: Path, built_from: str, without_inputs: str) -> dict[str, Path]:
    """The folders that `main` asks for, by argument."""
    found = {}
    for argument, kind in stage.signature.folders.items():
        if kind == "checkpoints":
            found[argument] = work_store.checkpoints(stage.root, stage.name, built_from)
        elif kind == "archive":
            found[argument] = work_store.archive(stage.root, stage.module)
        else:  # one of its own, which goes, where another process has it
            found[argument] = work_store.memo(stage.root, stage.name, without_inputs) or work / ".memo"
        found[argument].mkdir(parents=True, exist_ok=True)
    return found


def _work(stage: _Run, main: Callable[..., str], key: dict[str, Any], folders: dict[str, Path]) -> str:
    """Runs `main` on what its key covers and its inputs hold."""
    for path in stage.outputs:
        path.parent.mkdir(parents=True, exist_ok=True)
    threads.limit(getattr(stage.arguments.get("machine"), "threads", 1))
    with supervision.reads(stage.root) as read:
        line = main(**stage.signature.grouped({**stage.arguments, **folders}))
    if missed := sorted(_loaded() - key["symbols"].keys()):
        raise UserError(
            f"{stage.name}: ran {', '.join(missed)}, which its key does not cover: import it plainly, "
            "or name it in `modules()` of its params; nothing published"
        )
    if missed := sorted(read - key["files"].keys()):
        raise UserError(
            f"{stage.name}: read {', '.join(missed)}, which is neither an input nor in its key: declare it in "
            "dvc.yaml, or name it in the code as a path from the project's root; nothing published"
        )
    for path in stage.outputs:
        if not path.exists():
            raise AssertionError(f"{stage.name}: main did not write {path}")
    return line


def _disk_full(error: Exception) -> bool:
    """Also as numpy's tofile and safetensors tell it: without an errno."""
    written = isinstance(error, OSError) and re.fullmatch(r"\d+ requested and \d+ written", str(error))
    return getattr(error, "errno", None) == errno.ENOSPC or bool(written) or "No space left on device" in str(error)


def no_space(where: str, error: Exception) -> str:
    """The line for a full disk."""
    path = Path(str(getattr(error, "filename", None) or "."))
    existing = next(p for p in [path, *path.absolute().parents] if p.exists())
    free = shutil.disk_usage(existing).free >> 20
    return (
        f"{where}: no space left on the disk of {existing}: found {free} MiB free; nothing published; "
        "free some (`dvc gc -w` drops what no build uses) and `dvc repro` again"
    )


def _read(main: Callable[..., str], name: str, module: str, root: Path) -> _Run:
    spec = signature.read(main)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for flag in spec.flags:
        parser.add_argument(f"--{flag}", required=True)
    flags = vars(parser.parse_args())
    names = {n: flags[n] for n in spec.names}
    sections = {a: (signature.section_of(kind, names), kind) for a, kind in spec.sections.items()}
    paths = {n: Path(flags[n]) for n in (*spec.inputs, *spec.outputs)}
    for n in spec.inputs:
        if not paths[n].exists():
            raise UserError(f"{name}: {paths[n]}: no such file or folder: want its input; make it, or `dvc pull` it")
    values = params.load(root / PARAMS)
    typed = {a: params.section(values, dotted, kind, PARAMS) for a, (dotted, kind) in sections.items()}
    return _Run(
        name,
        module,
        root,
        arguments={**paths, **names, **typed},
        sections=sections,
        inputs=[paths[n] for n in spec.inputs],
        outputs=[paths[n] for n in spec.outputs],
        signature=spec,
    )


def _values(stage: _Run) -> dict[str, Any]:
    """The sections of params.yaml that a stage takes, as they are there now."""
    values = params.load(stage.root / PARAMS)
    found = {}
    for dotted, _ in stage.sections.values():
        found[dotted] = values
        for part in dotted.split("."):
            found[dotted] = found[dotted].get(part) if isinstance(found[dotted], dict) else None
    return found


def _key(stage: _Run) -> dict[str, Any]:
    """The key as it is now. Under DVC it must be the one that preflight wrote: nothing stale is called fresh."""
    chosen_modules, environments = chosen([stage.arguments[a] for a in stage.sections])
    now = keys.compute(stage.root, stage.module, chosen_modules, environments)
    if "DVC_STAGE" in os.environ:
        file = stage.root / key_file.path_of(stage.name)
        recorded = json.loads(file.read_text()) if file.exists() else {}
        if recorded != now:
            raise UserError(
                f"{stage.name}: code, packages or parameters changed since preflight "
                f"({', '.join(keys.difference(recorded, now))}): nothing published; run `dvc repro` again"
            )
    return now


def chosen(parameters: list[Any]) -> tuple[list[str], list[str]]:
    """The modules and the tool environments that a stage's parameters choose."""
    structs = [value for value in parameters if isinstance(value, params.Params)]
    return (
        [name for value in structs for name in value.modules()],
        [name for value in structs for name in value.environments()],
    )


def _load(stage: _Run, key: dict[str, Any]) -> None:
    """Imports all that the key covers, so that what runs is what was hashed, whatever is edited from now on."""
    for module in key["symbols"]:
        if module != stage.module:
            importlib.import_module(module)


def _loaded() -> set[str]:
    """The first-party modules that really run here."""
    return {name for name in sys.modules if name.partition(".")[0] in keys.FIRST_PARTY}


def _changed(stage: _Run, key: dict[str, Any], values: dict[str, Any], bench: sandbox.Sandbox) -> list[str]:
    """What is no longer as it was when the stage began, in words."""
    found = bench.changed()
    now = _values(stage)
    found += [f"{PARAMS}: {section}" for section in values if values[section] != now[section]]
    chosen_modules, environments = chosen([stage.arguments[a] for a in stage.sections])
    return found + keys.difference(key, keys.compute(stage.root, stage.module, chosen_modules, environments))


def _log(root: Path, record: dict[str, Any], started: float) -> None:
    """One line in the run log: what is true of this run and machine, so never part of an artifact."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    harness_s = time.process_time() - record.pop("own_cpu_seconds")
    line = {
        **record,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 2),
        "cpu_seconds": round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 2),
        "harness_cpu_seconds": round(harness_s, 2),
        "peak_mib": max(_peak_kib(own.ru_maxrss), children.ru_maxrss) >> (10 if sys.platform == "linux" else 20),
        "stack": platform.read(root / key_file.path_of(record["stage"])),
    }
    try:
        run_log.append(root, line)
    except OSError as error:  # the log must not fail a build whose outputs are good
        print(f"{record['stage']}: {run_log.path(root)}: not logged: {error.strerror}", file=sys.stderr)


def _peak_kib(maxrss: int) -> int:
    """Most memory of this process; on Linux `ru_maxrss` counts the process that started it too (see getrusage(2))."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return maxrss
    return int(status.partition("VmHWM:")[2].split()[0])


IMPORTED_CPU_S = time.process_time()  # what starting Python and importing the harness took
