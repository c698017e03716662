"""Runs code that a model wrote, and the tests that judge it, in two boxes of bubblewrap that share a pipe.

A box is one process with one thread in namespaces of its own: no network, no other process in sight, no capability, an
empty environment, no file but the interpreter and its libraries, read-only, and a small folder in memory. A seccomp
filter refuses what system_calls.py lists. The answer's box never holds the tests or the verdict (inside/tests.py).
"""

import contextlib
import math
import os
import platform
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake.errors import UserError
from stages.evaluating.running_code import system_calls

ANSWER, TESTS = "stages/evaluating/running_code/inside/answer.py", "stages/evaluating/running_code/inside/tests.py"
INSIDE = (ANSWER, TESTS, "stages/evaluating/running_code/inside/channel.py")
START_S = 60.0  # in which a box must have started, however busy the machine is
TIMEOUT_S = 10.0  # of one answer with its tests, from then on
MEMORY_BYTES = 1 << 30  # of each box
DISK_BYTES = 1 << 24  # of its folder, which is in memory
OUTPUT_BYTES = 1 << 20  # that an answer may print
END_S = 5.0  # between the last word of a box and its end
OUTCOMES = {  # {name: what it means}
    "passed": "every test held",
    "failed": "an assertion of the tests did not hold; its line",
    "raised": "the answer, or the tests with what it gave, raised an error, as code that does not parse does",
    "timed_out": "it did not end in time",
    "out_of_memory": "it asked for more memory than it may have",
    "disk_full": "it wrote more than it may",
    "too_much_output": "it printed more than it may",
    "forbidden": "a system call or a file that the boundary refuses",
    "ended": "its process ended, or closed its channel, before the tests were through",
    "killed": "a signal ended its process",
    "broken_reply": "it wrote to the channel of the tests what is no reply",
    "nothing_tested": "the tests call nothing of the answer",
}
WORKS, HOLDS = "def seven():\n    return 7\n", "import socket\n\n\ndef seven():\n    return socket.socket() and 7\n"
SEVEN = "assert seven() == 7"
WANT = "want bubblewrap on Linux with user namespaces (docs/code.md)"


class Verdict(NamedTuple):
    """What came of an answer."""

    outcome: str  # one of OUTCOMES
    detail: str  # the line, the error or the signal; "" where there is nothing to add


BY_THE_CLOCK = Verdict("timed_out", "")  # not of the processor: others may have had it meanwhile
Box = subprocess.Popen[bytes]


@lru_cache(maxsize=1)
def lacking() -> str:
    """What this machine lacks to run code behind the boundary, in a line; "" if it is there and holds."""
    if platform.machine() not in system_calls.MACHINES or sys.platform != "linux":
        return f"{sys.platform} on {platform.machine()}: {WANT} on {' or '.join(system_calls.MACHINES)}"
    try:
        works, holds = (judge(code, SEVEN) for code in (WORKS, HOLDS))
    except UserError as error:
        return str(error)
    if works.outcome != "passed" or holds.outcome != "forbidden":
        return f"bwrap: a right answer {works.outcome}, one that opens a socket {holds.outcome}: {WANT}"
    return ""


def judge(code: str, tests: str, solution: str = "", timeout_s: float = TIMEOUT_S) -> Verdict:
    """Runs the tests on the code of an answer.

    Args:
        tests: Python with assertions about the names that the answer defines.
        solution: code that passes; its names may be those of builtins.

    Raises:
        UserError: the boundary does not start here.
    """
    (asked, ask), (told, tell) = os.pipe(), os.pipe()
    ends = [asked, ask, told, tell]
    job = msgspec.json.encode({"code": code, "tests": tests, "solution": solution})
    with tempfile.TemporaryFile() as given, contextlib.ExitStack() as boxes:
        given.write(job)
        given.seek(0)
        try:
            answer = boxes.enter_context(_box(ANSWER, timeout_s, asked, tell, []))
            judging = boxes.enter_context(_box(TESTS, timeout_s, given.fileno(), subprocess.PIPE, [told, ask]))
        finally:
            for end in ends:
                os.close(end)
        return _verdict(answer, judging, timeout_s)


def options(program: str, timeout_s: float, seccomp: int, arguments: list[int]) -> list[str]:
    """What bubblewrap is told for a box that runs a file of INSIDE; `seccomp` is the descriptor of the filter."""
    python = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    libraries = dict.fromkeys([os.path.join(sys.base_prefix, "lib"), "/usr/lib", "/usr/lib64", "/lib", "/lib64"])
    limits = [MEMORY_BYTES, math.ceil(timeout_s) + 1, *arguments]
    return [
        "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL",
        "--die-with-parent", "--new-session", "--hostname", "box", "--clearenv", "--setenv", "PYTHONHASHSEED", "0",
        "--size", str(DISK_BYTES), "--tmpfs", "/tmp", "--chdir", "/tmp",
        *(word for folder in libraries for word in ("--ro-bind-try", folder, folder)),
        "--ro-bind", os.path.realpath(python), str(python),
        *(word for file in INSIDE for word in ("--ro-bind", os.path.realpath(file), f"/inside/{Path(file).name}")),
        "--remount-ro", "/", "--seccomp", str(seccomp),
        str(python), "-s", "-S", "-B", f"/inside/{Path(program).name}", *map(str, limits),
    ]  # fmt: skip


@contextlib.contextmanager
def _box(program: str, timeout_s: float, stdin: int, stdout: int, passed: list[int]) -> Iterator[Box]:
    """Starts a box; it is ended with the block."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise UserError(f"bwrap: not found: {WANT}")
    rules, end = os.pipe()
    os.write(end, system_calls.seccomp_filter(platform.machine()))
    os.close(end)
    words = [bwrap, *options(program, timeout_s, rules, passed)]
    try:
        process = subprocess.Popen(
            words, env={}, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, pass_fds=[rules, *passed]
        )
    except OSError as error:
        raise UserError(f"bwrap: {error.strerror}: {WANT}") from None
    finally:
        os.close(rules)
    with process:
        try:
            yield process
        finally:
            process.kill()


def _verdict(answer: Box, judging: Box, timeout_s: float) -> Verdict:
    """What the tests tell, or what ended the boxes before they could.

    Raises:
        UserError: a box did not start.
    """
    printed, faults, said = bytearray(), bytearray(), bytearray()
    stopped = _read({answer.stderr: printed, judging.stderr: faults, judging.stdout: said}, timeout_s)
    started, _, outcome = said.decode("utf-8", "replace").partition("\n")
    if stopped:
        return stopped
    if not started or outcome.startswith('["not_started"'):
        words = (faults or printed).decode("utf-8", "replace").strip().partition("\n")[0]
        raise UserError(f"{words or 'bwrap: told nothing'}: {WANT}")
    if not outcome:
        return _of_exit(judging, Verdict("raised", "the tests ended their own process"))
    verdict = Verdict(*msgspec.json.decode(outcome, type=tuple[str, str]))
    return _of_exit(answer, verdict) if verdict.outcome == "ended" else verdict


def _read(streams: dict[Any, bytearray], timeout_s: float) -> Verdict | None:
    """Reads all streams to the end of the last one of them; a verdict if time or output is spent before.

    The time runs from the first word of the last one.
    """
    *_, last = streams
    until, started = time.monotonic() + START_S, False
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        while last in {key.fileobj for key in selector.get_map().values()}:
            ready = selector.select(max(0.0, until - time.monotonic()))
            if time.monotonic() >= until:
                return BY_THE_CLOCK if started else None
            for key, _ in ready:
                if data := os.read(key.fd, 1 << 16):
                    streams[key.fileobj] += data
                else:
                    selector.unregister(key.fileobj)
            if streams[last] and not started:
                until, started = time.monotonic() + timeout_s, True
            if any(len(read) > OUTPUT_BYTES for read in streams.values()):
                return Verdict("too_much_output", f"more than {OUTPUT_BYTES} bytes")
    return None


def _of_exit(box: Box, otherwise: Verdict) -> Verdict:
    """The verdict on a box that ended, or said its last word, by its exit code: of a signal 128 and its number."""
    try:
        code = box.wait(END_S)
    except subprocess.TimeoutExpired:
        return otherwise
    if code == 128 + signal.SIGXCPU:
        return Verdict("timed_out", "of the processor")
    if code > 128 and code - 128 in {*signal.Signals}:
        return Verdict("killed", signal.Signals(code - 128).name)
    return otherwise
