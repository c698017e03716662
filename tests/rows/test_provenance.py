"""Provenance: a row comes from every raw file that it, or an earlier form of it, was read from."""

from pathlib import Path

from stages.rows import parquet_table, provenance


def test_source_files_include_those_of_earlier_forms(tmp_path: Path) -> None:
    sources, parents = tmp_path / "sources", tmp_path / "parents"
    places = [
        ("a", "x.jsonl", 1),
        ("a", "b/y.jsonl", 7),
        ("a", "x.jsonl", 9),
        ("raw", "z.csv", 2),
        ("other", "z.csv", 3),
    ]
    parquet_table.write(sources, {"id": str, "file": str, "line": int}, places)
    changes = [
        ("clean", "halfway", "mojibake"),
        ("halfway", "raw", "email"),
        ("clean", "a", "email"),
        ("a", "a", "same"),
    ]
    parquet_table.write(parents, {"id": str, "parent": str, "rules": str}, changes)

    files = provenance.source_files(["a", "clean", "nowhere"], sources, parents)

    assert files == {"a": ("b/y.jsonl", "x.jsonl"), "clean": ("b/y.jsonl", "x.jsonl", "z.csv"), "nowhere": ()}


def test_augment_methods_are_read_by_id(tmp_path: Path) -> None:
    parquet_table.write(tmp_path / "parents", {"id": str, "method": str}, [("a", "distill"), ("b", "rank")])

    assert provenance.augment_methods(tmp_path / "parents") == {"a": "distill", "b": "rank"}
