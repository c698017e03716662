"""Fuzzes every reader of raw files: runs `ingest` on random files, half of them damaged; no record may be lost.

    uv run python benchmarks/fuzz_formats.py [--cases 100000] [--json]

Hypothesis makes the same cases at every run; tests/fuzzing.py checks each. A failing case ends the run and is shown in
its smallest form.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from stages.reading.containers import READERS  # noqa: E402
from tests.fuzzing import PARAMS, Case, cases, check  # noqa: E402


def fuzz(suffix: str, count: int, folder: Path) -> Counter[str]:
    """Number of cases by outcome, as `check` names it."""
    outcomes: Counter[str] = Counter()

    @settings(
        deadline=None, max_examples=count, database=None, derandomize=True, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(cases(suffix), st.sampled_from(PARAMS))
    def run(case: Case, params: object) -> None:
        outcomes[check(folder, case, params)] += 1

    run()
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    cases_each = -(-arguments.cases // len(READERS))
    outcomes, started = {}, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for suffix in READERS:
            outcomes[suffix] = dict(sorted(fuzz(suffix, cases_each, Path(folder) / "case").items()))
            if not arguments.json:
                counts = ", ".join(f"{outcome} {n}" for outcome, n in outcomes[suffix].items())
                print(f"{suffix:9} {counts}", flush=True)
    total = sum(sum(counts.values()) for counts in outcomes.values())
    seconds = round(time.monotonic() - started, 1)
    if arguments.json:
        print(json.dumps({"cases": total, "seconds": seconds, "tracebacks": 0, "lost": 0, "readers": outcomes}))
    else:
        print(f"{total} cases in {seconds} s: no traceback, no record lost")
    if total < arguments.cases:
        sys.exit(f"{total} cases: want {arguments.cases}: a strategy ran out of new ones")


if __name__ == "__main__":
    main()
