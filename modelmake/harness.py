"""The harness every stage runs in.

It reads the flags and parameters that a stage's `main` asks for, recomputes the stage's key at start and
end, gives outputs temporary names and publishes them by renaming once all is well, dies with the dvc that
started it, and leaves one line in the run log. It imports nothing heavy: errors come in the first second.
"""

import argparse
import ctypes
import errno
import hashlib
import json
import logging
import os
import re
import resource
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmake import keys, machine, params, signature, supervision
from modelmake.errors import UserError

PARAMS = Path("params.yaml")
RUN_LOG = "runs.jsonl"  # in the machine's folder


@dataclass(frozen=True)
class _Run:
    """One stage about to run: what `main` gets, and what must still hold when it is done."""

    name: str  # as DVC addresses it; the module's name when run by hand
    arguments: dict[str, Any]
    sections: dict[str, tuple[str, Any]]  # argument -> its dotted section of params.yaml and its type
    inputs: list[Path]
    outputs: dict[Path, Path]  # temporary name -> declared name


def run(main: Callable[..., str]) -> None:
    """Runs a stage's `main` from the command line and exits: 0 published, 1 told why not, 130 interrupted."""
    module = sys.modules[main.__module__].__spec__.name
    name = os.environ.get("DVC_STAGE", "").rpartition(":")[2]
    started, key, outcome, code = time.time(), "", "failed", 1
    partial: list[Path] = []
    try:
        stage = _read(main, name or module)
        partial += stage.outputs
        key = _check_key(stage, module)
        before = _snapshot(stage)
        supervision.die_with_dvc()
        offline(getattr(stage.arguments.get("machine"), "threads", 1))
        line = main(**stage.arguments)
        _check_modules(stage, module)
        if _check_key(stage, module) != key or _snapshot(stage) != before:
            raise UserError(
                f"{stage.name}: its inputs or parameters changed while it ran: want them still; "
                "nothing published; run `dvc repro` again"
            )
        _publish(stage)
        print(f"{stage.name}: {line}", flush=True)
        outcome, code = "done", 0
    except UserError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print(f"{name or module}: interrupted: nothing published; `dvc repro` runs it again", file=sys.stderr)
        outcome, code = "interrupted", 130
    except Exception as error:
        if not _disk_full(error):
            raise
        print(no_space(name or module, error), file=sys.stderr)
    finally:
        for path in partial:
            _remove(path)
        _log(name or module, key, outcome, started)
    sys.exit(code)


def offline(threads: int) -> None:
    """The libraries' environment, the same on every machine: no network unless asked, so many threads."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
    bars = "0" if sys.stderr.isatty() else "1"
    os.environ.update(
        HF_HUB_DISABLE_PROGRESS_BARS=bars,
        HF_DATASETS_DISABLE_PROGRESS_BARS=bars,
        HF_HUB_DISABLE_TELEMETRY="1",
        TRANSFORMERS_VERBOSITY="error",
        TOKENIZERS_PARALLELISM="false",
        OMP_NUM_THREADS=str(threads),
        MKL_NUM_THREADS=str(threads),
        OPENBLAS_NUM_THREADS=str(threads),
        OMP_WAIT_POLICY="passive",
        CUBLAS_WORKSPACE_CONFIG=":4096:8",  # deterministic cuBLAS, see torch's notes on reproducibility
    )
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it recommends a package that runs code of the hub
    warnings.simplefilter("ignore", FutureWarning)  # what libraries will rename is not the user's to mend
    _keep_memory()


def _keep_memory() -> None:
    """Tells glibc to keep freed memory: tensors come and go each step, and returning their pages to the
    kernel took more than half of the training time (292 s -> 129 s)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        # trim threshold, top pad, mmap threshold, arenas
        for option, value in ((-1, 2**31 - 1), (-2, 64 << 20), (-3, 1 << 30), (-8, 1)):
            mallopt(option, value)


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


def _read(main: Callable[..., str], name: str) -> _Run:
    spec = signature.read(main)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for flag in spec.flags:
        parser.add_argument(f"--{flag}", required=True)
    flags = vars(parser.parse_args())
    names = {n: flags[n] for n in spec.names}
    sections = {a: (signature.section_of(kind, names), kind) for a, kind in spec.sections.items()}
    inputs = {n: Path(flags[n]) for n in spec.inputs}
    for path in inputs.values():
        if not path.exists():
            raise UserError(f"{name}: {path}: no such file or folder: want its input; make it, or `dvc pull` it")
    outputs = {}
    for n in spec.outputs:
        final = Path(flags[n])
        final.parent.mkdir(parents=True, exist_ok=True)
        outputs[n] = final.with_name(f".{final.name}.partial")
        _remove(outputs[n])
    finals = {path: Path(flags[n]) for n, path in outputs.items()}
    arguments = {**inputs, **outputs, **names, **_parameters(sections)}
    return _Run(name, arguments, sections, list(inputs.values()), finals)


def _parameters(sections: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    values = params.load(PARAMS)
    return {a: params.section(values, dotted, kind, str(PARAMS)) for a, (dotted, kind) in sections.items()}


def _check_key(stage: _Run, module: str) -> str:
    """The key in short. Under DVC it must be the one that preflight wrote: nothing stale is called fresh."""
    modules, environments = chosen(module, [stage.arguments[a] for a in stage.sections])
    now = keys.compute(Path(), modules, environments)
    if "DVC_STAGE" in os.environ:
        file = Path(f"keys/{stage.name.replace('@', '.')}.json")
        recorded = json.loads(file.read_text()) if file.exists() else {}
        if recorded != now:
            raise UserError(
                f"{stage.name}: code, packages or parameters changed since preflight "
                f"({keys.difference(recorded, now)}): nothing published; run `dvc repro` again"
            )
    return hashlib.sha256(json.dumps(now).encode()).hexdigest()[:16]


def chosen(module: str, parameters: list[Any]) -> tuple[list[str], list[str]]:
    """Where a stage's code begins: its module and those its parameters choose; and its tool environments."""
    structs = [value for value in parameters if isinstance(value, params.Params)]
    return (
        [module, *(name for value in structs for name in value.modules())],
        [name for value in structs for name in value.environments()],
    )


def _check_modules(stage: _Run, module: str) -> None:
    """No first-party module may have run that the key does not cover."""
    loaded = {n for n in sys.modules if n.partition(".")[0] in keys.FIRST_PARTY}
    modules, _ = chosen(module, [stage.arguments[a] for a in stage.sections])
    covered, _ = keys.closure(Path(), modules)
    if missed := sorted(loaded - covered.keys()):
        raise UserError(
            f"{stage.name}: ran {', '.join(missed)}, which its key does not cover: import it plainly, "
            "or name it in `modules()` of its params; nothing published"
        )


def _snapshot(stage: _Run) -> str:
    """What the inputs and parameters are now, by size and time of change of every file: cheap at any size."""
    files = []
    for path in stage.inputs:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            try:
                status = file.stat()
            except FileNotFoundError:  # gone meanwhile, or a broken link
                files.append((str(file), 0, 0, 0))
                continue
            if not file.is_dir():
                files.append((str(file), status.st_size, status.st_mtime_ns, status.st_ino))
    same = all(stage.arguments[a] == value for a, value in _parameters(stage.sections).items())
    return json.dumps([files, same])


def _publish(stage: _Run) -> None:
    for partial, final in stage.outputs.items():
        if not partial.exists():
            raise AssertionError(f"{stage.name}: main did not write {final}")
    for partial, final in stage.outputs.items():
        _remove(final)
        os.replace(partial, final)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _log(stage: str, key: str, outcome: str, started: float) -> None:
    """One line in the run log: what is true of this run and machine, so never part of an artifact."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    line = {
        "stage": stage,
        "key": key,
        "outcome": outcome,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 2),
        "cpu_seconds": round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 2),
        "peak_mib": max(own.ru_maxrss, children.ru_maxrss) >> (10 if sys.platform == "linux" else 20),
    }
    file = machine.folder(Path()) / RUN_LOG
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
    except OSError as error:  # the log must not fail a build whose outputs are good
        print(f"{stage}: {file}: not logged: {error.strerror}", file=sys.stderr)
