"""The benchmark that fuzzes readers counts every case that it ran."""

import json
import subprocess
import sys
from pathlib import Path

from stages.reading.containers import READERS

ROOT = Path(__file__).parents[2]


def test_cases_are_counted_by_reader_and_outcome() -> None:
    command = [sys.executable, "benchmarks/fuzz_formats.py", "--cases", "55", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    found = json.loads(done.stdout)
    assert list(found["readers"]) == list(READERS)
    assert found["cases"] == 55 == sum(n for kinds in found["readers"].values() for n in kinds.values())
    assert (found["tracebacks"], found["lost"]) == (0, 0)
