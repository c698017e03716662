"""Fuzzes every reader of raw files: runs `ingest` on random files, half of them damaged; no record may be lost.

Records have random fields at every depth: each of their values must be in a row, or told, or known to mean nothing.
These rows, and a random one with masks, calls and reasoning, are rendered by a chat template that ships here: each
text must be in what is rendered, and be trained on as the masks say, or the row is refused.

    uv run python benchmarks/fuzz_formats.py [--cases 100000] [--processes 2] [--seed N] [--json]

Hypothesis makes the same cases at every run with one seed; tests/fuzzing.py checks each. A failing case ends the run
and is shown in its smallest form.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from stages.reading.containers import READERS  # noqa: E402
from stages.rows.row import Content  # noqa: E402
from tests.fuzzing import PARAMS, Case, cases, check  # noqa: E402
from tests.fuzzing_rows import CONTENT, TEMPLATES, texts_of  # noqa: E402

TOTALS = ("fields_lost", "texts_lost", "rendered", "refused")


def fuzz(suffix: str, count: int, number: int) -> tuple[Counter[str], Counter[str]]:
    """(number of cases by outcome, as `check` names it; TOTALS)."""
    outcomes, totals = Counter[str](), Counter[str]()
    folder = Path(tempfile.mkdtemp())

    @seed(number)
    @settings(
        deadline=None, max_examples=count, database=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(cases(suffix), st.sampled_from(PARAMS), CONTENT, st.sampled_from(TEMPLATES))
    def run(case: Case, params: object, content: Content, template: str) -> None:
        outcome = check(folder, case, params)
        texts = texts_of([content, *(row.content for row in outcome.rows)], template)
        outcomes[outcome.name] += 1
        counts = (len(outcome.lost), len(texts.lost), texts.rendered, texts.refused)
        totals.update(dict(zip(TOTALS, counts, strict=True)))
        assert not (outcome.lost or texts.lost), (outcome.lost, template, texts.lost)

    try:
        run()
    finally:
        shutil.rmtree(folder)
    return outcomes, totals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    cases_each = -(-arguments.cases // len(READERS))
    outcomes, totals, started = {}, Counter[str](), time.monotonic()
    with ProcessPoolExecutor(arguments.processes) as pool:
        runs = pool.map(fuzz, READERS, repeat(cases_each), repeat(arguments.seed))
        for suffix, (counts, more) in zip(READERS, runs, strict=True):
            outcomes[suffix] = dict(sorted(counts.items()))
            totals.update(more)
            if not arguments.json:
                print(
                    f"{suffix:9} {', '.join(f'{outcome} {n}' for outcome, n in outcomes[suffix].items())}", flush=True
                )
    total = sum(sum(counts.values()) for counts in outcomes.values())
    seconds = round(time.monotonic() - started, 1)
    lost = {name: totals[name] for name in TOTALS}
    if arguments.json:
        print(json.dumps({"cases": total, "seconds": seconds, "tracebacks": 0, "lost": 0, **lost, "readers": outcomes}))
    else:
        print(f"{total} cases in {seconds} s: no traceback, no record lost; {lost}")
    if total < arguments.cases:
        sys.exit(f"{total} cases: want {arguments.cases}: a strategy ran out of new ones")


if __name__ == "__main__":
    main()
