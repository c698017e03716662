"""Answers that only answer are judged as Python would judge them in one process."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from modelmake.errors import UserError
from stages.evaluating.running_code import boundary, system_calls
from tests.conftest import ROOT


@pytest.fixture
def here() -> None:
    if lacking := boundary.lacking():
        pytest.skip(lacking)


STACK = """
class Empty(ValueError):
    pass


class Stack:
    def __init__(self, items=()):
        self.items = list(items)

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items)

    def __add__(self, other):
        return Stack(self.items + other.items)

    def __eq__(self, other):
        return self.items == other.items

    def push(self, item):
        self.items.append(item)

    def pop(self):
        if not self.items:
            raise Empty("nothing there")
        return self.items.pop()
"""
PASSING = {
    "plain values": (
        "def same(*words, **named):\n    return words, named",
        "assert same(1, 2.5, 'é', None, True, b'x', [1, (2, {3})], {1: 'a', (2,): frozenset()}, n=3 + 4j) == "
        "((1, 2.5, 'é', None, True, b'x', [1, (2, {3})], {1: 'a', (2,): frozenset()}), {'n': 3 + 4j})\n"
        "assert type(same(1)[0]) is tuple and same(True)[0][0] is True and type(same(1.0)[0][0]) is float\n"
        "assert same(range(3), function=1) == ((range(3),), {'function': 1})\n"
        "assert same(float('inf'))[0][0] == float('inf') and same(10**5000)[0][0] == 10**5000",
    ),
    "a list that is changed": (
        "def sort(items):\n    items.sort()",
        "items = [3, 1, 2]\nassert sort(items) is None\nassert items == [1, 2, 3]",
    ),
    "a dict and a set that are changed": (
        "def fill(counts, seen):\n    counts['a'] = 1\n    seen.discard(2)",
        "from collections import defaultdict\ncounts, seen = defaultdict(int), {1, 2}\nfill(counts, seen)\n"
        "assert counts == {'a': 1} and counts['b'] == 0 and seen == {1}",
    ),
    "iterators, also without an end": (
        "from itertools import count\n\n\ndef squares():\n    for n in count():\n        yield n * n\n\n\n"
        "def evens(items):\n    return filter(lambda n: n % 2 == 0, items)",
        "from itertools import islice\nassert list(islice(squares(), 4)) == [0, 1, 4, 9]\n"
        "numbers = squares()\nassert next(numbers) == 0 and next(numbers) == 1\n"
        "assert list(evens([1, 2, 4])) == [2, 4]\nassert next(evens([1]), None) is None",
    ),
    "functions of the tests": (
        "def twice(function, value):\n    return function(function(value))\n\n\n"
        "def identity(function):\n    return function",
        "def triple(n):\n    return 3 * n\n\n\n"
        "assert twice(triple, 2) == 18 and twice(lambda n: twice(triple, n), 1) == 81\n"
        "assert identity(triple) is triple\n"
        "def fails(n):\n    raise KeyError(n)\n\n\n"
        "try:\n    twice(fails, 1)\nexcept KeyError:\n    pass\nelse:\n    assert False",
    ),
    "functions of the answer": (
        "def adder(n):\n    return lambda m: m + n",
        "assert adder(2)(3) == 5 and [*map(adder(1), [1, 2])] == [2, 3] and adder.__name__ == 'adder'",
    ),
    "objects": (
        STACK,
        "stack = Stack([1])\nstack.push(2)\nassert len(stack) == 2 and list(stack) == [1, 2] and stack\n"
        "assert not Stack() and stack.pop() == 2 and stack.items == [1] and 1 in stack\n"
        "assert stack + Stack([5]) == Stack([1, 5]) and stack != Stack()\n"
        "stack.items = [7]\nassert stack.items == [7]",
    ),
    "errors": (
        STACK,
        "try:\n    Stack().pop()\n    assert False\nexcept ValueError as error:\n"
        "    assert str(error) == 'nothing there'\n"
        "try:\n    Stack().push()\n    assert False\nexcept TypeError:\n    pass\n"
        "try:\n    Stack().nothing\n    assert False\nexcept AttributeError:\n    pass",
    ),
    "what the answer imports": ("import math\nfrom math import pi", "assert math.sqrt(pi * pi) == pi"),
    "tests in functions": ("def f():\n    return 1", "def test_f():\n    assert f() == 1"),
    "what is printed": ("def f():\n    print('x' * 1000)\n    return 1", "print('y')\nassert f() == 1"),
    "a dataclass": (
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Point:\n    x: int = 0",
        "assert Point(3).x == 3 and Point() == Point(0)",
    ),
    "a demonstration": (
        "def f():\n    return 1\n\n\nif __name__ == '__main__':\n    print(input())", "assert f() == 1"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "tests"), PASSING.values(), ids=list(PASSING))
@pytest.mark.usefixtures("here")
def test_a_right_answer_passes(code: str, tests: str) -> None:
    assert boundary.judge(code, tests) == ("passed", "")


@pytest.mark.parametrize(
    ("code", "tests", "verdict"),
    [
        ("def f(n):\n    return n", "assert f(1) == 1\n\nassert f(2) == 3, 'no'",
         ("failed", "line 3 of the tests: assert f(2) == 3, 'no'")),
        ("def f(n):\n    return 1 // n", "def test_f():\n    assert f(0) == 0",
         ("raised", "ZeroDivisionError: integer division or modulo by zero (line 2 of the answer); "
                    "line 2 of the tests: assert f(0) == 0")),
        ("def f(n):\n    return n", "def test_f():\n    assert f(0) == 1",
         ("failed", "line 2 of the tests: assert f(0) == 1")),
        ("def f(:", "assert f(1) == 1",
         ("raised", "SyntaxError: invalid syntax (<answer>, line 1) (line 1 of the answer)")),
        ("", "assert f(1) == 1",
         ("raised", "NameError: name 'f' is not defined; line 1 of the tests: assert f(1) == 1")),
        ("def f(n):\n    return f(n)", "assert f(1) == 1",
         ("raised", "RecursionError: maximum recursion depth exceeded (line 2 of the answer); "
                    "line 1 of the tests: assert f(1) == 1")),
        ("def f(n):\n    assert n > 1\n    return n", "assert f(1) == 1",
         ("raised", "AssertionError:  (line 2 of the answer); line 1 of the tests: assert f(1) == 1")),
        ("def f(n):\n    return n", "def check(f):\n    assert f(1) == 2",
         ("nothing_tested", "the tests call nothing of the answer")),
        ("class N:\n    pass\n\n\ndef f(n):\n    return N()", "assert f(1) != 2 and f(1) == 1",
         ("failed", "line 1 of the tests: assert f(1) != 2 and f(1) == 1")),
        ("def f(n):\n    raise SystemExit(0)", "try:\n    f(1)\nexcept BaseException:\n    pass",
         ("ended", "SystemExit: 0 (line 2 of the answer)")),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("here")
def test_a_wrong_answer_is_told_with_its_line(code: str, tests: str, verdict: tuple[str, str]) -> None:
    assert boundary.judge(code, tests) == verdict


@pytest.mark.usefixtures("here")
def test_a_builtin_is_the_answers_own_where_the_solution_defines_it_too() -> None:
    answer = "def sum(a, b):\n    return a + b\n\n\ndef abs(x):\n    return 0"

    assert boundary.judge(answer, "assert sum(1, 2) == 3", solution="def sum(x, y): ...") == ("passed", "")
    assert boundary.judge(answer, "assert sum([1, 2]) == 3 and abs(-1) == 1").outcome == "nothing_tested"


@pytest.mark.usefixtures("here")
def test_an_answer_leaves_nothing_to_the_next_one() -> None:
    kept = "def f():\n    open('kept', 'w').write('1')\n    return 1"

    assert boundary.judge(kept, "assert f() == 1").outcome == "passed"
    assert boundary.judge("import os\n\n\ndef f():\n    return os.listdir('.')", "assert f() == []") == ("passed", "")


@pytest.mark.usefixtures("here")
def test_no_process_and_no_descriptor_is_left() -> None:
    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = opened()
    boundary.judge("while True:\n    pass", "assert f() == 1", timeout_s=1.0)

    assert opened() == before
    assert [child for child in psutil.Process().children(recursive=True) if child.name() == "bwrap"] == []


@pytest.fixture
def without_programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PATH", "")
    boundary.lacking.cache_clear()
    yield
    boundary.lacking.cache_clear()


@pytest.mark.usefixtures("without_programs")
def test_without_bubblewrap_nothing_is_run() -> None:
    assert boundary.lacking() == f"bwrap: not found: {boundary.WANT}"
    with pytest.raises(UserError, match=r"^bwrap: not found: want bubblewrap on Linux"):
        boundary.judge("def f(): ...", "assert f() is None")


def test_where_namespaces_are_not_permitted_nothing_is_run() -> None:
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$@"'  # in a namespace of its own
    asked = "from stages.evaluating.running_code import boundary; print(boundary.lacking())"
    if not shutil.which("bwrap") or not shutil.which("unshare"):
        pytest.skip("no bwrap, or no unshare")

    finished = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", forbid, sys.executable, "-c", asked],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    if finished.returncode:
        pytest.skip(finished.stderr.strip())

    assert finished.stdout.startswith("bwrap: ") and finished.stdout.endswith(f": {boundary.WANT}\n"), finished.stdout
    assert "assert" not in finished.stdout and "passed" not in finished.stdout


def test_the_docs_have_the_outcomes_and_the_number_of_refused_calls() -> None:
    text = (ROOT / "docs/code.md").read_text("utf-8")

    assert re.findall(r"^\| `(\w+)` \| (.+) \|$", text, re.MULTILINE) == [*boundary.OUTCOMES.items()]
    assert f"(`system_calls.py` lists {len(system_calls.FORBIDDEN)})" in text
    assert f"{boundary.MEMORY_BYTES >> 30} GiB" in text and f"{boundary.DISK_BYTES >> 20} MiB" in text
    assert f"{boundary.OUTPUT_BYTES >> 20} MiB" in text and f"{boundary.TIMEOUT_S:g} s of the clock" in text
