"""What the two boxes say to each other, lines of JSON, and the limits that both put on themselves.

The files of this folder run inside the boundary, by themselves: they import the standard library and one another.
"""

import builtins
import json
import os
import resource
import sys

ANSWER, TESTS = "<answer>", "<tests>"  # names of the files in tracebacks
FILE_BYTES, OPEN_FILES = 1 << 22, 64
LINE_CHARS = 1 << 24  # of a message; a longer one is none
TEXT_CHARS = 200  # of what is told of an error
KINDS = {  # types of plain values; of subclasses the type is lost
    "dict": dict, "list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "bytes": bytes,
    "bytearray": bytearray, "range": range, "slice": slice, "complex": complex,
}  # fmt: skip
PARTS = {  # of those that are not made of what they iterate over
    "dict": dict.items,
    "range": lambda value: (value.start, value.stop, value.step),
    "slice": lambda value: (value.start, value.stop, value.step),
    "complex": lambda value: (value.real, value.imag),
}
SPREAD = ("range", "slice", "complex")  # made of arguments, not of one list
MUTABLE = (dict, list, set, bytearray)


class Ended(BaseException):
    """The other process ended, or asked to."""


class Channel:
    """Lines of JSON to and from the other box."""

    def __init__(self, source, target):
        self.source, self.target = source, target

    def send(self, message):
        self.target.write(json.dumps(message) + "\n")
        self.target.flush()

    def receive(self):
        """The next message.

        Raises:
            Ended: there is none.
            ValueError: it is no JSON.
        """
        line = self.source.readline(LINE_CHARS)
        if not line:
            raise Ended("the process ended, or closed its channel")
        return json.loads(line)


def encode(value, refer):
    """A value as JSON; `refer` names what is not plain."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    for name, kind in KINDS.items():
        if isinstance(value, kind):
            return [name, [encode(part, refer) for part in PARTS.get(name, iter)(value)]]
    return [*refer(value)]


def decode(value, resolve):
    """The inverse of `encode`; `resolve` finds what a name stands for."""
    if not isinstance(value, list):
        return value
    name, content = value
    if name not in KINDS:
        return resolve(name, content)
    parts = [decode(part, resolve) for part in content]
    return KINDS[name](*parts) if name in SPREAD else KINDS[name](parts)


def encode_call(words, named, refer):
    return [encode(word, refer) for word in words], {name: encode(value, refer) for name, value in named.items()}


def decode_call(words, named, resolve):
    return [decode(word, resolve) for word in words], {name: decode(value, resolve) for name, value in named.items()}


def raised(error):
    """["raised", its types that are builtin, text, errno, line of the answer, name of its type]."""
    kinds = [kind.__name__ for kind in type(error).__mro__ if getattr(builtins, kind.__name__, None) is kind]
    number, line = getattr(error, "errno", None), line_in(error, ANSWER)
    return ["raised", kinds, str(error)[:TEXT_CHARS], number, line, type(error).__name__]


def error_of(kinds, text, number):
    """An error as like the other side's as there is."""
    for kind in (getattr(builtins, name, None) for name in kinds):
        if isinstance(kind, type) and issubclass(kind, Exception):
            try:
                return kind(number, text) if issubclass(kind, OSError) else kind(text)
            except TypeError:  # one with more arguments
                continue
    return RuntimeError(text)


def line_in(error, file):
    """The last line of a file that an error went through, or that does not parse; 0 for none."""
    found = (error.lineno or 0) if isinstance(error, SyntaxError) and error.filename == file else 0
    step = error.__traceback__
    while step is not None:
        found = step.tb_lineno if step.tb_frame.f_code.co_filename == file else found
        step = step.tb_next
    return found


def begin(memory, cpu_s):
    """(what this box is given, where it tells), after it has limited itself to bytes and seconds for good.

    Standard input becomes empty, and what is printed goes to standard error, which is counted outside.
    """
    limits = {
        resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: cpu_s, resource.RLIMIT_CORE: 0, resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_FSIZE: FILE_BYTES, resource.RLIMIT_NOFILE: OPEN_FILES,
    }  # fmt: skip
    for name, limit in limits.items():
        resource.setrlimit(name, (limit, limit + (name == resource.RLIMIT_CPU)))
    sys.set_int_max_str_digits(0)
    given, told = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    nothing, end = os.pipe()
    os.close(end)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return given, told
