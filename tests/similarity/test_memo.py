"""A search that knows the last one finds what it would find without, whatever came, went or was damaged."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.similarity import near
from stages.similarity.memo import LastSearch
from tests.similarity.test_near import NEAR, families, template

TEXTS = [*families(seed=7, changes=2), *template(60)]
IDS = [random.Random(place).randbytes(12).hex() for place in range(len(TEXTS))]


def search(folder: Path | None, chosen: list[int]) -> tuple[list[list[int]], list[float]]:
    last = LastSearch(folder, [IDS[i] for i in chosen], NEAR.permutations) if folder else None
    found = near.find([TEXTS[i] for i in chosen], NEAR, last)
    return found.pairs.tolist(), found.similarities.tolist()


ORDINARY, ALL = st.sets(st.integers(0, 119)), st.sets(st.integers(0, len(TEXTS) - 1))


@settings(max_examples=30)
@given(runs=st.lists(ORDINARY | ALL, min_size=2, max_size=4))
def test_texts_that_come_and_go_are_paired_as_without_a_last_search(
    tmp_path_factory: pytest.TempPathFactory, runs: list[set[int]]
) -> None:
    folder = tmp_path_factory.mktemp("memo")
    for chosen in runs:
        assert search(folder, sorted(chosen)) == search(None, sorted(chosen))


def test_texts_that_come_back_after_most_were_gone_are_paired_again(tmp_path: Path) -> None:
    for chosen in (list(range(120)), list(range(50)), list(range(120))):
        assert search(tmp_path, chosen) == search(None, chosen)


def test_a_text_that_makes_a_band_crowded_is_paired_as_without(tmp_path: Path) -> None:
    before, after = list(range(120, 160)), list(range(120, len(TEXTS)))
    search(tmp_path, before)

    assert search(tmp_path, after) == search(None, after)
    assert search(tmp_path, after) == search(None, after)


def test_what_is_known_is_asked_for_no_more(tmp_path: Path) -> None:
    class Counting(list[str]):
        asked = 0

        def __getitem__(self, index: int) -> str:  # type: ignore[override]
            Counting.asked += 1
            return super().__getitem__(index)

    ids = IDS[:120]
    near.find(Counting(TEXTS[:119]), NEAR, LastSearch(tmp_path, ids[:119], NEAR.permutations))
    Counting.asked = 0
    near.find(Counting(TEXTS[:120]), NEAR, LastSearch(tmp_path, ids, NEAR.permutations))

    assert Counting.asked <= 4  # the new one, and it and its two copies once more


@pytest.mark.parametrize("name", ["ids", "signatures", "pairs", "manifest.json"])
@pytest.mark.parametrize("damage", [lambda b: b[:-3], lambda b: b[:20] + bytes([b[20] ^ 1]) + b[21:], lambda b: b""])
def test_a_damaged_memo_is_begun_afresh(tmp_path: Path, name: str, damage) -> None:
    chosen = list(range(120))
    search(tmp_path, chosen)
    (tmp_path / name).write_bytes(damage((tmp_path / name).read_bytes()))

    assert search(tmp_path, chosen) == search(None, chosen)


def test_bytes_after_those_that_the_manifest_counts_are_left_out(tmp_path: Path) -> None:
    chosen = list(range(60))
    search(tmp_path, chosen)
    for name in ("ids", "signatures"):  # a search was killed while it added its own
        with (tmp_path / name).open("ab") as file:
            file.write(b"x" * 1000)

    assert search(tmp_path, chosen) == search(None, chosen)
    assert search(tmp_path, list(range(80))) == search(None, list(range(80)))
