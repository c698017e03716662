"""Spilled values are read back sorted by id, from memory and from disk, and none is lost."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.rows import spill
from stages.rows.spill import Spill


def id_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:24]


@given(st.lists(st.tuples(st.integers(0, 20).map(id_of), st.binary(max_size=9)), max_size=60), st.integers(0, 3000))
def test_values_are_sorted_by_id_and_keep_their_order_within_one(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[str, bytes]], budget_bytes: int
) -> None:
    spilled = Spill(tmp_path_factory.getbasetemp(), budget_bytes)
    for id, value in values:
        spilled.add(id, value)

    expected: dict[str, list[bytes]] = {}
    for id, value in values:
        expected.setdefault(id, []).append(value)
    assert list(spilled) == list(spilled) == sorted(expected.items())


def test_memory_holds_the_budget_at_most(tmp_path: Path) -> None:
    spilled = Spill(tmp_path, budget_bytes=10_000)
    for number in range(2000):
        spilled.add(id_of(number), b"x" * 100)
        assert sum(len(items) for items in spilled._pending.values()) * (100 + spill.OVERHEAD_BYTES) <= 10_000

    assert sum(1 for _ in spilled) == 2000
    assert list(tmp_path.iterdir()) == []  # the file has no name
