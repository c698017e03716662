"""The account of a stage: rows in are rows out plus drops, and every drop has a reason."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.rows import accounting


def test_drops_are_counted_by_reason() -> None:
    assert accounting.account(5, 2, ["b", "a", "b"]) == {"in": 5, "out": 2, "dropped": {"a": 1, "b": 2}}


@given(st.integers(0, 99), st.integers(0, 99), st.lists(st.sampled_from("ab"), max_size=9))
def test_an_account_that_does_not_balance_stops_the_stage(rows_in: int, rows_out: int, reasons: list[str]) -> None:
    if rows_in == rows_out + len(reasons):
        accounting.account(rows_in, rows_out, reasons)
    else:
        with pytest.raises(AssertionError, match=f"^rows lost: {rows_in} in, {rows_out} out, {len(reasons)} dropped"):
            accounting.account(rows_in, rows_out, reasons)


def test_the_summary_is_one_line() -> None:
    assert accounting.summary({"in": 5, "out": 5, "dropped": {}}) == "5 rows in, 5 out, 0 dropped"
    assert accounting.summary(accounting.account(5, 2, ["a", "a", "b"])) == "5 rows in, 2 out, 3 dropped (a 2, b 1)"


def test_a_report_is_indented_json_with_a_final_newline(tmp_path: Path) -> None:
    accounting.write_json(tmp_path / "r", {"b": 1, "a": {"c": [2]}})

    assert (tmp_path / "r").read_text() == '{\n  "b": 1,\n  "a": {\n    "c": [\n      2\n    ]\n  }\n}\n'
