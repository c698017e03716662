"""Where rows came from: every raw file that they, or what they were before, stand in."""

from pathlib import Path

from stages.rows import origins, parquet_table


def test_a_row_is_of_every_file_that_it_or_an_earlier_form_of_it_stands_in(tmp_path: Path) -> None:
    sources, parents = tmp_path / "sources", tmp_path / "parents"
    places = [
        ("a", "x.jsonl", 1),
        ("a", "b/y.jsonl", 7),
        ("a", "x.jsonl", 9),
        ("raw", "z.csv", 2),
        ("other", "z.csv", 3),
    ]
    parquet_table.write(sources, {"id": str, "file": str, "line": int}, places)
    earlier = [
        ("clean", "halfway", "mojibake"),
        ("halfway", "raw", "email"),
        ("clean", "a", "email"),
        ("a", "a", "same"),
    ]
    parquet_table.write(parents, {"id": str, "parent": str, "rules": str}, earlier)

    found = origins.files(["a", "clean", "nowhere"], sources, parents)

    assert found == {"a": ("b/y.jsonl", "x.jsonl"), "clean": ("b/y.jsonl", "x.jsonl", "z.csv"), "nowhere": ()}
