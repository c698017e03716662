"""Calibration rows: a sample that other rows do not disturb, and nothing for tools that look at weights alone."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import calibrate, rows
from stages.params.release import Gguf, Llmcompressor

AWQ = Llmcompressor(from_="sft", rows="text", num_calibration_samples=3, max_seq_length=64, device="cpu")


def splits(folder: Path, texts: list[str]) -> Path:
    (folder / "train").mkdir(parents=True)
    rows.write(folder / "train/text.jsonl", [rows.row(rows.Text(text)) for text in texts])
    return folder


def test_a_sample_keeps_its_rows_when_others_are_added_unless_they_come_first() -> None:
    found = [rows.row(rows.Text(str(i))) for i in range(20)]
    taken = calibrate.sample(found, 5)
    later = [row for row in (rows.row(rows.Text(f"new {i}")) for i in range(50)) if row.id > taken[-1].id]

    assert [row.id for row in taken] == sorted(row.id for row in found)[:5]
    assert later and calibrate.sample([*later, *reversed(found)], 5) == taken


def test_each_quant_gets_a_file_and_only_who_asks_gets_rows(tmp_path: Path) -> None:
    line = calibrate.main(
        splits(tmp_path / "splits", list("abcdef")), tmp_path / "calibration", {"awq": AWQ, "Q8_0": Gguf(from_="sft")}
    )

    assert line == "rows to calibrate on: awq 3, Q8_0 0"
    assert (tmp_path / "calibration/Q8_0.jsonl").read_bytes() == b"\n"
    assert len(rows.read(tmp_path / "calibration/awq.jsonl")) == 3


def test_a_quantizer_that_wants_rows_where_there_are_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train/text.jsonl: no rows: want some to calibrate awq on; name another"):
        calibrate.main(splits(tmp_path / "splits", []), tmp_path / "calibration", {"awq": AWQ})
