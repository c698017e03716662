"""Answers that try something other than to answer: ordinary attempts, none of which reaches anything.

Each defines `seven`, of which the tests want 7. Those that meet a limit of the boundary raise the error that Python
makes of it; those that would be content with less return what they found.
"""

from typing import NamedTuple


class Attempt(NamedTuple):
    """What an answer tries, and what is told of it."""

    code: str
    outcome: str  # one of boundary.OUTCOMES
    detail: str  # a part of what is told
    seconds: float = 10.0  # that it may take
    tests: str = "assert seven() == 7"


def body(*lines: str) -> str:
    """Code whose attempt is in the function that the tests call."""
    return "\n    ".join(["def seven():", *lines, "return 7"])


def system_call(name: str, arguments: str) -> str:
    """Code that makes a call of the C library and raises the error that it sets."""
    return body(
        "import ctypes, os",
        f"if ctypes.CDLL(None, use_errno=True).{name}({arguments}) < 0:",
        "    number = ctypes.get_errno()",
        "    raise OSError(number, os.strerror(number))",
    )


FORBIDDEN, NOT_THERE = "forbidden", "FileNotFoundError"
NETWORK = {
    "connects to this machine": Attempt(
        body("import socket", "socket.create_connection(('127.0.0.1', {port}), timeout=2)"),
        FORBIDDEN,
        "PermissionError",
    ),
    "connects by another family": Attempt(
        body("import socket", "socket.socket(socket.AF_UNIX)"), FORBIDDEN, "PermissionError"
    ),
    "speaks with the kernel": Attempt(
        body("import socket", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)"), FORBIDDEN, "PermissionError"
    ),
    "looks up a name": Attempt(body("import socket", "socket.getaddrinfo('localhost', 80)"), "raised", "gaierror"),
    "fetches a page": Attempt(
        body("import urllib.request", "urllib.request.urlopen('http://127.0.0.1:{port}/', timeout=2)"),
        "raised",
        "URLError",
    ),
}
PROCESSES = {
    "forks": Attempt(body("import os", "os.fork()"), FORBIDDEN, "PermissionError"),
    "forks without end": Attempt(body("import os", "while True:", "    os.fork()"), FORBIDDEN, "PermissionError"),
    "starts a program": Attempt(
        body("import subprocess, sys", "subprocess.run([sys.executable, '-c', ''])"), FORBIDDEN, "PermissionError"
    ),
    "starts a shell": Attempt(body("import os", "return os.system('true')"), "failed", "line 1 of the tests"),
    "starts workers": Attempt(
        body("import multiprocessing", "multiprocessing.Process(target=print).start()"), FORBIDDEN, "PermissionError"
    ),
    "starts threads": Attempt(
        body("import threading", "while True:", "    threading.Thread(target=input).start()"),
        FORBIDDEN, "can't start new thread",
    ),
    "becomes another program": Attempt(
        body("import os, sys", "os.execv(sys.executable, [sys.executable, '-c', 'print([\"passed\", \"\"])'])"),
        "ended", "the process ended",
    ),
    "traces its parent": Attempt(system_call("ptrace", "16, os.getppid(), 0, 0"), FORBIDDEN, "PermissionError"),
    "makes a namespace": Attempt(system_call("unshare", "0x10000000"), FORBIDDEN, "PermissionError"),
}  # fmt: skip
MEMORY_AND_DISK = {
    "asks for much memory": Attempt(body("bytearray(1 << 40)"), "out_of_memory", "MemoryError"),
    "takes ever more memory": Attempt(
        body("taken = []", "while True:", "    taken.append(bytearray(1 << 28))"), "out_of_memory", "MemoryError"
    ),
    "keeps memory in a nameless file": Attempt(
        body("import os", "os.memfd_create('kept')"), FORBIDDEN, "PermissionError"
    ),
    "keeps memory that is shared": Attempt(
        body("from multiprocessing import shared_memory", "shared_memory.SharedMemory(create=True, size=1 << 20)"),
        "raised", NOT_THERE,
    ),
    "fills the disk with files": Attempt(
        body("for number in range(99):", "    open(str(number), 'wb').write(bytes(1 << 20))"),
        "disk_full", "No space left",
    ),
    "fills the disk with one file": Attempt(
        body("with open('one', 'wb') as file:", "    for _ in range(99):", "        file.write(bytes(1 << 20))"),
        "disk_full", "File too large",
    ),
    "makes a large file of nothing": Attempt(
        body("with open('one', 'wb') as file:", "    file.truncate(1 << 40)"), "disk_full", "File too large"
    ),
    "opens files without end": Attempt(
        body("import sys", "files = []", "while True:", "    files.append(open(sys.executable))"),
        "raised", "Too many open files",
    ),
    "lifts its limits": Attempt(
        body("import resource", "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))"), "raised", "not allowed to raise"
    ),
    "prints without end": Attempt(body("while True:", "    print('7' * 9999)"), "too_much_output", "bytes"),
}  # fmt: skip
SIGNALS = {
    "kills itself": Attempt(body("import os", "os.kill(os.getpid(), 9)"), "killed", "SIGKILL"),
    "reads where nothing is": Attempt(body("import ctypes", "ctypes.string_at(0)"), "killed", "SIGSEGV"),
    "signals the process that judges it": Attempt(body("import os", "os.kill({pid}, 0)"), "raised", "ProcessLookup"),
    "kills all that it can": Attempt(body("import os", "os.kill(-1, 9)"), "raised", "ProcessLookupError"),
    # the first process of its own namespace, which takes no signal from within: it goes on, and answers
    "kills its parent": Attempt(body("import os", "os.kill(os.getppid(), 9)"), "passed", ""),
}
FILES = {
    "reads a secret": Attempt(body("open('{secret}').read()"), "raised", NOT_THERE),
    "lists the home": Attempt(body("import os", "return os.listdir(os.path.expanduser('~'))"), "raised", NOT_THERE),
    "reads who there is": Attempt(body("open('/etc/passwd').read()"), "raised", NOT_THERE),
    "reads the environment": Attempt(body("import os", "return os.environ['SECRET']"), "raised", "KeyError"),
    "reads the environment of others": Attempt(body("open('/proc/1/environ').read()"), "raised", NOT_THERE),
    "reads through a link": Attempt(
        body("import os", "os.symlink('{secret}', 'link')", "open('link').read()"), "raised", NOT_THERE
    ),
    "writes through a link": Attempt(
        body("import os", "os.symlink('/written', 'link')", "open('link', 'w')"), FORBIDDEN, "Read-only"
    ),
    "writes outside": Attempt(body("open('/written', 'w')"), FORBIDDEN, "Read-only"),
    "writes where it came from": Attempt(body("open('{folder}/written', 'w')"), "raised", NOT_THERE),
    "changes the library": Attempt(body("import os", "open(os.__file__, 'a')"), FORBIDDEN, "Read-only"),
    "changes the judge": Attempt(body("open('/inside/tests.py', 'a')"), FORBIDDEN, "Read-only"),
    "changes a mode": Attempt(body("import os, sys", "os.chmod(sys.executable, 0)"), FORBIDDEN, "Read-only"),
    "opens a disk": Attempt(body("open('/dev/sda')"), "raised", NOT_THERE),
    "makes a device": Attempt(
        body("import os", "os.mknod('disk', 0o60600, os.makedev(8, 0))"), FORBIDDEN, "not permitted"
    ),
    "mounts": Attempt(system_call("mount", "b'none', b'/tmp', b'tmpfs', 0, None"), FORBIDDEN, "PermissionError"),
    "becomes root": Attempt(body("import os", "os.setuid(0)"), "raised", "OSError"),
    "sets the clock": Attempt(body("import time", "time.clock_settime(0, 0)"), FORBIDDEN, "PermissionError"),
    "renames the machine": Attempt(body("import socket", "socket.sethostname('x')"), FORBIDDEN, "PermissionError"),
}
TIME = {
    "never ends": Attempt(body("while True:", "    pass"), "timed_out", "", 1.5),
    "never ends as it is defined": Attempt("while True:\n    pass", "timed_out", "", 1.5),
    "sleeps": Attempt(body("import time", "time.sleep(99)"), "timed_out", "", 1.5),
    "ignores signals": Attempt(
        body("import signal", "for number in {{*signal.Signals}} - {{9, 19}}:",
             "    signal.signal(number, signal.SIG_IGN)", "while True:", "    pass"),
        "timed_out", "", 1.5,
    ),
}  # fmt: skip
VERDICT = {
    "exits well before the tests": Attempt("import sys\nsys.exit(0)", "ended", "SystemExit: 0"),
    "exits well in the tests": Attempt(body("import os", "os._exit(0)"), "ended", "the process ended"),
    "asks to exit in the tests": Attempt(body("raise SystemExit"), "ended", "SystemExit"),
    "closes all that is open": Attempt(body("import os", "os.closerange(0, 64)"), "ended", "closed its channel"),
    "prints that it passed": Attempt(
        "print('started')\nprint('[\"passed\", \"\"]', flush=True)\ndef seven():\n    return 8", "failed", "line 1"
    ),
    "writes that it passed to all that is open": Attempt(
        body("import contextlib, os", "for number in range(64):", "    with contextlib.suppress(OSError):",
             "        os.write(number, b'[\"passed\", \"\"]\\n')"),
        "broken_reply", "passed",
    ),
    "writes a reply that is none": Attempt(
        body("import contextlib, os", "for number in range(64):", "    with contextlib.suppress(OSError):",
             "        os.write(number, b'7\\n')"),
        "broken_reply", "",
    ),
    "returns what equals everything": Attempt(
        "class Equal:\n    def __eq__(self, other):\n        return True\n\n\ndef seven():\n    return Equal()",
        "failed", "line 1",
    ),
    "returns a number that equals everything": Attempt(
        "class Equal(int):\n    def __eq__(self, other):\n        return True\n\n\ndef seven():\n    return Equal(8)",
        "failed", "line 1",
    ),
    "changes what a builtin does": Attempt(
        "import builtins\nbuiltins.abs = abs = lambda x: 0\n\n\ndef seven():\n    return 8",
        "failed", "line 1", tests="assert abs(seven() - 7) == 0",
    ),
    "changes what an assertion raises": Attempt(
        "import builtins\nAssertionError = builtins.AssertionError = OSError\n\n\ndef seven():\n    return 8",
        "failed", "line 1",
    ),
    "looks for the tests in memory": Attempt(
        body("import gc", "return [text for text in gc.get_objects() if isinstance(text, list) and 'assert' in text]"),
        "failed", "line 1",
    ),
    "looks for the tests in frames": Attempt(
        body("import sys", "frame = sys._getframe()", "while frame.f_back:", "    frame = frame.f_back",
             "return frame.f_globals['tests']"),
        "raised", "KeyError",
    ),
    "looks for the tests in files": Attempt(body("return open(0).read()"), "failed", "line 1"),
}  # fmt: skip
ATTEMPTS = NETWORK | PROCESSES | MEMORY_AND_DISK | SIGNALS | FILES | TIME | VERDICT
