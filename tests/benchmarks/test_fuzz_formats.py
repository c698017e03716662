"""Fuzzing of readers: ingest loses no record of any file, and the benchmark counts all its cases."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.reading.containers import READERS
from tests.conftest import ROOT
from tests.fuzzing import PARAMS, Case, cases, check


@pytest.mark.parametrize("suffix", READERS)
def test_no_record_of_any_file_is_lost(tmp_path_factory: pytest.TempPathFactory, suffix: str) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    outcomes = set()

    @settings(max_examples=60)
    @given(cases(suffix), st.sampled_from(PARAMS))
    def fuzz(case: Case, params: object) -> None:
        outcomes.add(check(folder, case, params))

    fuzz()
    assert "rows" in outcomes


def test_the_benchmark_counts_cases_by_reader_and_outcome() -> None:
    command = [sys.executable, "benchmarks/fuzz_formats.py", "--cases", "55", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    result = json.loads(done.stdout)
    assert list(result["readers"]) == list(READERS)
    assert result["cases"] == 55 == sum(n for outcomes in result["readers"].values() for n in outcomes.values())
    assert (result["tracebacks"], result["lost"]) == (0, 0)
