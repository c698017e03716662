"""Whatever a raw file holds, every record of it is a row or a drop that is written down; no error is a traceback."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.reading.containers import READERS
from tests.fuzzing import PARAMS, Case, cases, check


@pytest.mark.parametrize("suffix", READERS)
def test_no_record_of_any_file_is_lost(tmp_path_factory: pytest.TempPathFactory, suffix: str) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    seen = set()

    @settings(max_examples=60)
    @given(cases(suffix), st.sampled_from(PARAMS))
    def fuzz(case: Case, params: object) -> None:
        seen.add(check(folder, case, params))

    fuzz()
    assert "rows" in seen
