"""The store gives back what was put into it, sorted, the last of an id."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stages.cleaning.row_store import Store
from stages.rows import jsonl
from stages.rows.row import Row, Text, make_row

PUTS = st.lists(st.tuples(st.sampled_from("abcd"), st.text(max_size=3), st.booleans()))


@given(PUTS)
def test_a_store_is_a_dict_of_rows_on_disk(puts: list[tuple[str, str, bool]]) -> None:
    wanted: dict[str, Row] = {}
    with Store(Path()) as store:
        for id, text, stays in puts:
            wanted[id] = Row(id, Text(text))
            store.put(wanted[id])
            if not stays:
                store.remove(id)
                del wanted[id]

        assert len(store) == len(wanted)
        assert list(store) == [wanted[id] for id in sorted(wanted)]
        assert [store.get(id) for id in "abcd"] == [wanted.get(id) for id in "abcd"]


def test_what_it_writes_is_what_rows_write(tmp_path: Path) -> None:
    found = [make_row(Text(text), split) for text, split in (("é\n", "test"), ("b", ""), ("\x7f", "val"))]
    jsonl.write(tmp_path / "rows", found)
    with Store(tmp_path) as store:
        for row in found:
            store.put(row)
        store.write(tmp_path / "stored")

    assert (tmp_path / "stored").read_bytes() == (tmp_path / "rows").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows", "stored"]
