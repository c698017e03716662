"""Calls of tools against the expected ones: whole answers, names, and names with arguments.

As in the AST match of the Berkeley Function Calling Leaderboard (`ast_checker.py` there), parallel calls match in any
order, a call matches by its function and by every argument with its type and value, none may be missing or more, and
strings are compared without case, spaces and `,./-_*^`. Unlike there, a sign that numbers need counts, so that "1.5" is
not "15"; and an optional argument that has its default may be left out.
Rows count in which a call is expected or made: a call where text is expected is wrong, and so is text for a call.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from stages.answers.call_forms import Call, parameters
from stages.answers.json_answer import common, equal
from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 1, "Patil et al. 2025, The Berkeley Function Calling Leaderboard, ICML: AST match")
SIGN = re.compile(
    r"(?<=\d) *([/*^-]) *(?=[-.]?\d)"  # between two numbers: 1/2, 10-20
    r"|(?<=\d)(,)(?=\d)(?!\d{3}(?!\d))"  # 1,5, but not 1,000
    r"|(?<![^\W\d_])(-) *(?=\.?\d)"  # -5, but not gpt-4
    r"|(\.)(?=\d)"  # 1.5
    r"|[ ,./_*^-]"  # any other is left out
)


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, tuple[float, float]]:
    names = Counter(call.name for call in expected.calls) & Counter(call.name for call in answer.calls)
    wanted, made = ([_compared(call, expected.tools) for call in reply.calls] for reply in (expected, answer))
    right, calls = common(wanted, made, _standard), len(wanted) + len(made)
    return {
        "tool_call": (float(calls > 0 and 2 * right == calls), float(calls > 0)),
        "tool_call.name": (2.0 * names.total(), float(calls)),
        "tool_call.arguments": (2.0 * right, float(calls)),
    }


def _compared(call: Call, tools: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """{name: arguments}, but for optional arguments that have their default: what must be equal of two calls."""
    schema = parameters(call.name, tools)
    defaults = {
        name: declared["default"]
        for name, declared in (schema.get("properties") or {}).items()
        if isinstance(declared, dict) and "default" in declared and name not in (schema.get("required") or ())
    }
    arguments = call.arguments
    if isinstance(arguments, dict):
        arguments = {n: v for n, v in arguments.items() if n not in defaults or not equal(v, defaults[n], _standard)}
    return {call.name: arguments}


def _standard(text: str) -> str:
    return SIGN.sub(lambda sign: next(filter(None, sign.groups()), ""), text).lower().replace("'", '"')
