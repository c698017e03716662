"""The box of the answer: defines its names, and does what the tests ask of them.

It has no test and no expected value. python answer.py MEMORY_BYTES CPU_S <- requests -> replies, a line each
"""

import builtins
import operator
import sys
import types

from channel import ANSWER, MUTABLE, Channel, Ended, begin, decode, decode_call, encode, encode_call, error_of, raised

UNARY = ("bool", "iter", "len", "next", "repr", "str")
BINARY = [
    "__add__", "__sub__", "__mul__", "__matmul__", "__truediv__", "__floordiv__", "__mod__", "__pow__", "__and__",
    "__or__", "__xor__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__",
]  # fmt: skip
DONE = {  # what the tests may ask
    "call": lambda function, /, *words, **named: function(*words, **named),
    "getattr": getattr,
    "setattr": setattr,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    **{name: getattr(builtins, name) for name in UNARY},
    **{name: getattr(operator, name) for name in BINARY},
}


class Answer:
    """Does what the tests ask; keeps what is not plain, by number."""

    def __init__(self, channel):
        self.channel, self.objects, self.numbers = channel, [], {}

    def serve(self):
        self.channel.send("started")
        while True:
            try:
                message = self.channel.receive()
            except Ended:
                return
            self.channel.send(self.reply(*message))

    def reply(self, what, words, named):
        """["value", result, [[number of an argument, what the call made of it]]], or what it raised."""
        try:
            if what == "define":
                return ["value", encode(self._define(*words), self._refer), []]
            arguments, others = decode_call(words, named, self._resolve)
            result = DONE[what](*arguments, **others)
            changed = [
                [i, now] for i, (argument, before) in enumerate(zip(arguments, words, strict=True))
                if isinstance(argument, MUTABLE) and (now := encode(argument, self._refer)) != before
            ]  # fmt: skip
            return ["value", encode(result, self._refer), changed]
        except BaseException as error:
            return raised(error)

    def call_back(self, number, words, named):
        """Calls a function of the tests that the answer was given, and meanwhile does what that asks for."""
        self.channel.send(["callback", number, *encode_call(words, named, self._refer)])
        while (message := self.channel.receive())[0] not in ("value", "raised"):
            self.channel.send(self.reply(*message))
        if message[0] == "raised":
            raise error_of(*message[1:4])
        return decode(message[1], self._resolve)

    def _define(self, code):
        """{name: value} of what the code defines and imports."""
        module = types.ModuleType("answer")
        sys.modules["answer"] = module  # dataclasses look for the module of a class
        exec(compile(code, ANSWER, "exec", dont_inherit=True), module.__dict__)
        return {name: value for name, value in module.__dict__.items() if not name.startswith("__")}

    def _refer(self, value):
        if isinstance(value, types.FunctionType) and "callback_number" in value.__dict__:
            return "callback", value.callback_number
        if id(value) not in self.numbers:
            self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return "iterator" if hasattr(type(value), "__next__") else "object", self.numbers[id(value)]

    def _resolve(self, name, number):
        if name != "callback":
            return self.objects[number]

        def function(*words, **named):
            return self.call_back(number, words, named)

        function.callback_number = number
        return function


if __name__ == "__main__":
    Answer(Channel(*begin(int(sys.argv[1]), int(sys.argv[2])))).serve()
