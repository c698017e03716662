"""A log keeps every record in order, and a line that was cut short costs that line alone."""

from pathlib import Path

from modelmake.running import jsonl_log


def test_records_are_read_in_the_order_in_which_they_were_appended(tmp_path: Path) -> None:
    file = tmp_path / "deep/log.jsonl"
    jsonl_log.append(file, [{"n": 1}, {"n": 2, "text": "ä\n"}])
    jsonl_log.append(file, [])
    jsonl_log.append(file, [{"n": 3}])

    assert jsonl_log.read(file) == [{"n": 1}, {"n": 2, "text": "ä\n"}, {"n": 3}]
    assert len(file.read_text("utf-8").splitlines()) == 3


def test_a_line_that_was_cut_short_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text('{"n": 1}\n{"n": \n{"n": 3}\n{"n"')

    assert jsonl_log.read(file) == [{"n": 1}, {"n": 3}]


def test_no_file_holds_no_records(tmp_path: Path) -> None:
    assert jsonl_log.read(tmp_path / "log.jsonl") == []
