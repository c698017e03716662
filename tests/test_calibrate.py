"""Calibration rows: a sample that is stable when rows are added, and none for tools that need none."""

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


def test_a_sample_changes_only_for_new_rows_with_lower_ids() -> None:
    rows = [make_row(Text(str(i))) for i in range(20)]
    sampled = calibrate.sample(rows, 5)
    later = [row for row in (make_row(Text(f"new {i}")) for i in range(50)) if row.id > sampled[-1].id]

    assert [row.id for row in sampled] == sorted(row.id for row in rows)[:5]
    assert later and calibrate.sample([*later, *reversed(rows)], 5) == sampled


def test_a_quantizer_gets_num_calibration_samples_rows(tmp_path: Path) -> None:
    line = calibrate.main(train(tmp_path / "train", list("abcdef")), tmp_path / "awq.jsonl", "awq", THREE)

    assert line == "awq: 3 rows to calibrate on"
    assert len(jsonl.read(tmp_path / "awq.jsonl")) == 3


def test_a_quantizer_without_calibration_gets_a_blank_line(tmp_path: Path) -> None:
    line = calibrate.main(train(tmp_path / "train", list("abcdef")), tmp_path / "Q8_0.jsonl", "Q8_0", None)

    assert line == "Q8_0: no rows to calibrate on"
    assert (tmp_path / "Q8_0.jsonl").read_bytes() == b"\n"


def test_no_rows_to_calibrate_on_is_an_error(tmp_path: Path) -> None:
    message = r"train/text.jsonl: no rows: want some to calibrate on; name another .* quantize.awq.calibration.rows"
    with pytest.raises(UserError, match=message):
        calibrate.main(train(tmp_path / "train", []), tmp_path / "awq.jsonl", "awq", THREE)
