"""A search with a memo finds what one without finds, whatever was added, removed or damaged."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.similarity import near
from stages.similarity.memo import SearchMemo, find_positions
from tests.similarity.test_near import NEAR, families, template

TEXTS = [*families(seed=7, changes=2), *template(60)]
IDS = [random.Random(place).randbytes(12).hex() for place in range(len(TEXTS))]


def search(folder: Path | None, chosen: list[int]) -> tuple[list[list[int]], list[float]]:
    memo = SearchMemo(folder, [IDS[i] for i in chosen], NEAR.permutations) if folder else None
    similar = near.find_pairs([TEXTS[i] for i in chosen], NEAR, memo)
    return similar.pairs.tolist(), similar.similarities.tolist()


ORDINARY, ALL = st.sets(st.integers(0, 119)), st.sets(st.integers(0, len(TEXTS) - 1))


@settings(max_examples=30)
@given(runs=st.lists(ORDINARY | ALL, min_size=2, max_size=4))
def test_texts_that_come_and_go_are_paired_as_without_a_memo(
    tmp_path_factory: pytest.TempPathFactory, runs: list[set[int]]
) -> None:
    folder = tmp_path_factory.mktemp("memo")
    for chosen in runs:
        assert search(folder, sorted(chosen)) == search(None, sorted(chosen))


def test_texts_that_come_back_after_most_were_gone_are_paired_again(tmp_path: Path) -> None:
    for chosen in (list(range(120)), list(range(50)), list(range(120))):
        assert search(tmp_path, chosen) == search(None, chosen)


def test_texts_that_make_a_bucket_crowded_are_paired_as_without_a_memo(tmp_path: Path) -> None:
    before, after = list(range(120, 160)), list(range(120, len(TEXTS)))
    search(tmp_path, before)

    assert search(tmp_path, after) == search(None, after)
    assert search(tmp_path, after) == search(None, after)


def test_only_new_texts_and_those_compared_with_them_are_read(tmp_path: Path) -> None:
    class Counting(list[str]):
        reads = 0

        def __getitem__(self, index: int) -> str:  # type: ignore[override]
            Counting.reads += 1
            return super().__getitem__(index)

    ids = IDS[:120]
    near.find_pairs(Counting(TEXTS[:119]), NEAR, SearchMemo(tmp_path, ids[:119], NEAR.permutations))
    Counting.reads = 0
    near.find_pairs(Counting(TEXTS[:120]), NEAR, SearchMemo(tmp_path, ids, NEAR.permutations))

    assert Counting.reads <= 4  # the new one, and it and its two copies once more


@pytest.mark.parametrize("name", ["ids", "signatures", "pairs", "manifest.json"])
@pytest.mark.parametrize("damage", [lambda b: b[:-3], lambda b: b[:20] + bytes([b[20] ^ 1]) + b[21:], lambda b: b""])
def test_a_damaged_memo_is_discarded(tmp_path: Path, name: str, damage) -> None:
    chosen = list(range(120))
    search(tmp_path, chosen)
    (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))

    assert search(tmp_path, chosen) == search(None, chosen)


def test_bytes_beyond_those_that_the_manifest_counts_are_ignored(tmp_path: Path) -> None:
    chosen = list(range(60))
    search(tmp_path, chosen)
    for name in ("ids", "signatures"):  # as a search leaves them that is killed while it appends
        with (tmp_path / name).open("ab") as file:
            file.write(b"x" * 1000)

    assert search(tmp_path, chosen) == search(None, chosen)
    assert search(tmp_path, list(range(80))) == search(None, list(range(80)))


def test_positions_are_those_of_equal_ids() -> None:
    names = [f"{i:024x}" for i in range(50)]
    ids, wanted = (np.frombuffer("".join(part).encode(), "<u8").reshape(-1, 3) for part in (names[:40], names[::-1]))

    assert find_positions(ids, wanted).tolist() == [-1] * 10 + list(range(39, -1, -1))
