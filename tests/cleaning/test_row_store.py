"""The store is a dict of rows on disk, sorted by id."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stages.cleaning.row_store import RowStore
from stages.rows import jsonl
from stages.rows.row import Row, Text, make_row

PUTS = st.lists(st.tuples(st.sampled_from("abcd"), st.text(max_size=3), st.booleans()))


@given(PUTS)
def test_a_store_behaves_as_a_dict_of_rows(puts: list[tuple[str, str, bool]]) -> None:
    expected: dict[str, Row] = {}
    with RowStore(Path()) as store:
        for id, text, stays in puts:
            expected[id] = Row(id, Text(text))
            store.put(expected[id])
            if not stays:
                store.remove(id)
                del expected[id]

        assert len(store) == len(expected)
        assert list(store) == [expected[id] for id in sorted(expected)]
        assert [store.get(id) for id in "abcd"] == [expected.get(id) for id in "abcd"]


def test_it_writes_what_jsonl_writes_and_leaves_no_other_file(tmp_path: Path) -> None:
    rows = [make_row(Text(text), split) for text, split in (("é\n", "test"), ("b", ""), ("\x7f", "val"))]
    jsonl.write(tmp_path / "rows", rows)
    with RowStore(tmp_path) as store:
        for row in rows:
            store.put(row)
        store.write(tmp_path / "stored")

    assert (tmp_path / "stored").read_bytes() == (tmp_path / "rows").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows", "stored"]
