"""Replayed outputs are files of their own."""

from pathlib import Path

from benchmarks import staleness_replay


def test_an_output_that_shares_its_bytes_with_another_is_replaced_alone(tmp_path: Path) -> None:
    recorded, output, other = tmp_path / "recorded", tmp_path / "base.json", tmp_path / "sft.json"
    recorded.write_text("new")
    other.write_text("old")
    output.hardlink_to(other)  # as DVC links outputs of the same bytes
    staleness_replay._copy(recorded, output)
    assert (output.read_text(), other.read_text()) == ("new", "old")


def test_a_folder_takes_the_place_of_one_with_other_files(tmp_path: Path) -> None:
    recorded, output = tmp_path / "recorded", tmp_path / "output"
    recorded.mkdir()
    output.mkdir()
    (recorded / "new").touch()
    (output / "old").touch()
    staleness_replay._copy(recorded, output)
    assert [path.name for path in output.iterdir()] == ["new"]
