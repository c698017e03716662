"""Calibration rows: a sample that other rows do not disturb, and nothing for tools that look at weights alone."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import calibrate
from stages.params.release import Calibration
from stages.rows import jsonl
from stages.rows.row import Text, make_row

THREE = Calibration(rows="text", num_calibration_samples=3)


def train(folder: Path, texts: list[str]) -> Path:
    folder.mkdir()
    jsonl.write(folder / "text.jsonl", [make_row(Text(text)) for text in texts])
    return folder


def test_a_sample_keeps_its_rows_when_others_are_added_unless_they_come_first() -> None:
    found = [make_row(Text(str(i))) for i in range(20)]
    taken = calibrate.sample(found, 5)
    later = [row for row in (make_row(Text(f"new {i}")) for i in range(50)) if row.id > taken[-1].id]

    assert [row.id for row in taken] == sorted(row.id for row in found)[:5]
    assert later and calibrate.sample([*later, *reversed(found)], 5) == taken


def test_a_quantizer_gets_as_many_rows_as_it_asks_for(tmp_path: Path) -> None:
    line = calibrate.main(train(tmp_path / "train", list("abcdef")), tmp_path / "awq.jsonl", "awq", THREE)

    assert line == "awq: 3 rows to calibrate on"
    assert len(jsonl.read(tmp_path / "awq.jsonl")) == 3


def test_one_that_asks_for_none_gets_a_blank_line(tmp_path: Path) -> None:
    line = calibrate.main(train(tmp_path / "train", list("abcdef")), tmp_path / "Q8_0.jsonl", "Q8_0", None)

    assert line == "Q8_0: no rows to calibrate on"
    assert (tmp_path / "Q8_0.jsonl").read_bytes() == b"\n"


def test_a_quantizer_that_wants_rows_where_there_are_none_is_told(tmp_path: Path) -> None:
    wanted = r"train/text.jsonl: no rows: want some to calibrate on; name another .* quantize.awq.calibration.rows"
    with pytest.raises(UserError, match=wanted):
        calibrate.main(train(tmp_path / "train", []), tmp_path / "awq.jsonl", "awq", THREE)
