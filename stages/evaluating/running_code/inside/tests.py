"""The box of the tests: asks the answer for values, compares them here, and tells the outcome.

python tests.py MEMORY_BYTES CPU_S FROM TO <- {code, tests, solution} -> "started", then [outcome, detail]

FROM and TO are the ends of the pipes to the answer's box. What the answer returns is made anew here from plain parts;
of what is not plain there is a stand-in, which is never equal to a value of the tests.
"""

import ast
import builtins
import contextlib
import errno
import json
import os
import sys
import types

from answer import BINARY, UNARY
from channel import (
    MUTABLE,
    TESTS,
    TEXT_CHARS,
    Channel,
    Ended,
    begin,
    decode,
    decode_call,
    encode,
    encode_call,
    error_of,
    line_in,
    raised,
)

OF_LIMITS = {  # {error that a limit of the boundary makes: its outcome}
    errno.EPERM: "forbidden", errno.EACCES: "forbidden", errno.EROFS: "forbidden",
    errno.ENOSPC: "disk_full", errno.EFBIG: "disk_full", errno.ENOMEM: "out_of_memory",
}  # fmt: skip
NO_THREAD = "can't start new thread"  # a RuntimeError of Python


class Broken(BaseException):
    """What the answer's box sent is no reply."""


class StandIn:
    """An object of the answer. Operators work between two of them; with a value of the tests there are none."""

    def __init__(self, ask, number):
        object.__setattr__(self, "_of_answer", (ask, number))

    def _ask(self, what, /, *words, **named):
        return object.__getattribute__(self, "_of_answer")[0](what, self, *words, **named)

    def __call__(self, /, *words, **named):
        return self._ask("call", *words, **named)

    def __getattr__(self, name):
        return self._ask("getattr", name)

    def __setattr__(self, name, value):
        self._ask("setattr", name, value)

    def __getitem__(self, name):
        return self._ask("getitem", name)

    def __setitem__(self, name, value):
        self._ask("setitem", name, value)


class Iterating(StandIn):
    """An iterator of the answer: each value is asked for when it is wanted."""


def _unary(name):
    return lambda self: self._ask(name)


def _binary(name):
    return lambda self, other: self._ask(name, other) if isinstance(other, StandIn) else NotImplemented


for _name in UNARY:
    setattr(Iterating if _name == "next" else StandIn, f"__{_name}__", _unary(_name))
for _name in BINARY:
    setattr(StandIn, _name, _binary(_name))
StandIn.__hash__ = object.__hash__
Iterating.__iter__ = lambda self: self


class Tests:
    """Asks, and judges."""

    def __init__(self, channel):
        self.channel, self.asked, self.stand_ins, self.functions, self.fault = channel, 0, {}, [], None

    def has_started(self):
        """Waits for the word of the answer's box, before there is code in it."""
        try:
            self.channel.receive()
        except Ended:
            return False
        return True

    def judge(self, code, tests, solution):
        """(outcome, detail) of an answer."""
        try:
            self._run(tests, self._names(self.ask("define", code), solution))
        except BaseException as error:
            return self._judged(error, tests)
        if self.fault is not None:  # and the tests caught it
            return self._judged(self.fault, tests)
        return ("passed", "") if self.asked > 1 else ("nothing_tested", "the tests call nothing of the answer")

    def ask(self, what, /, *words, **named):
        """What the answer returns.

        Raises:
            Exception: what the answer raises.
            Ended: its process did; Broken: it sent no reply. Either is raised again by every later call.
        """
        if self.fault is not None:
            raise self.fault
        self.asked += 1
        self._send([what, *encode_call(words, named, self._refer)])
        try:
            while (reply := self._read(self.channel.receive(), words)) is None:
                pass
        except (Ended, Broken) as error:
            self.fault = error
            raise
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            self.fault = Broken(f"{type(error).__name__}: {error}"[:TEXT_CHARS])
            raise self.fault from None
        value, error = reply
        if error is not None:
            raise error
        return value

    def _send(self, message):
        with contextlib.suppress(BrokenPipeError):  # the next reading tells that it ended
            self.channel.send(message)

    def _read(self, message, words):
        """(value, None) or (None, what the answer raised); None after a callback."""
        kind, *rest = message
        if kind == "callback":
            self._send(self._called_back(*rest))
            return None
        if kind == "value":
            value, changed = rest
            for i, now in changed:
                _become(words[i], decode(now, self._resolve))
            return decode(value, self._resolve), None
        if kind != "raised":
            raise ValueError(f"a message {kind!r}"[:TEXT_CHARS])
        kinds, text, number, line, name = rest
        told = f"{name}: {text}"[:TEXT_CHARS] + (f" (line {int(line)} of the answer)" if line else "")
        if "Exception" not in kinds:
            raise Ended(told)
        error = error_of([str(kind) for kind in kinds], str(text), number)
        error.of_answer = told
        return None, error

    def _called_back(self, number, words, named):
        function, (words, named) = self.functions[number], decode_call(words, named, self._resolve)
        try:
            return ["value", encode(function(*words, **named), self._refer)]
        except Exception as error:
            return raised(error)

    def _refer(self, value):
        if isinstance(value, StandIn):
            return "object", object.__getattribute__(value, "_of_answer")[1]
        if not callable(value):
            raise TypeError(f"the tests give the answer a {type(value).__name__}: want plain values or functions")
        self.functions.append(value)
        return "callback", len(self.functions) - 1

    def _resolve(self, name, number):
        if name == "callback":
            return self.functions[number]
        kind = {"object": StandIn, "iterator": Iterating}[name]
        return self.stand_ins.setdefault(int(number), kind(self.ask, int(number)))

    def _names(self, defined, solution):
        """What tests find by its name. The answer's `len` is theirs only if the solution defines one as well.

        Names that Python itself reads stay out, whatever the answer's box says that it defines.
        """
        if not isinstance(defined, dict):
            raise Broken(f"a {type(defined).__name__} for what the code defines")
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        own = {node.name for node in ast.parse(solution).body if isinstance(node, kinds)}
        names = {name: value for name, value in defined.items() if isinstance(name, str) and name[:2] != "__"}
        return {name: value for name, value in names.items() if not hasattr(builtins, name) or name in own}

    def _run(self, tests, names):
        namespace = {**names, "__name__": "tests", "__builtins__": builtins}
        exec(compile(tests, TESTS, "exec", dont_inherit=True), namespace)
        for name, value in [*namespace.items()]:
            if name.startswith("test") and isinstance(value, types.FunctionType):
                value()

    def _judged(self, error, tests):
        if isinstance(error, Ended | Broken):
            return ("ended" if isinstance(error, Ended) else "broken_reply"), str(error)
        line, of_answer = line_in(error, TESTS), getattr(error, "of_answer", None)
        where = f"line {line} of the tests: {tests.splitlines()[line - 1].strip()}"[:TEXT_CHARS] if line else ""
        if isinstance(error, AssertionError) and of_answer is None:
            return "failed", where
        told = of_answer or f"{type(error).__name__}: {error}"[:TEXT_CHARS]
        outcome = OF_LIMITS.get(getattr(error, "errno", None), "raised")
        if isinstance(error, MemoryError):
            outcome = "out_of_memory"
        elif NO_THREAD in told:
            outcome = "forbidden"
        return outcome, f"{told}; {where}" if where else told


def _become(value, now):
    """Makes a value of the tests what the answer made of it."""
    if not isinstance(value, MUTABLE) or not isinstance(value, type(now)):
        raise ValueError("a change of another type")
    if isinstance(value, list | bytearray):
        value[:] = now
    else:
        value.clear()
        value.update(now)


def main():
    given, told = begin(int(sys.argv[1]), int(sys.argv[2]))
    tests = Tests(Channel(os.fdopen(int(sys.argv[3]), "r"), os.fdopen(int(sys.argv[4]), "w")))
    has_started = tests.has_started()
    told.write("started\n")  # the time runs from here
    told.flush()
    told.write(json.dumps(tests.judge(**json.loads(given.read())) if has_started else ["not_started", ""]))
    told.flush()


if __name__ == "__main__":
    main()
