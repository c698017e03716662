"""Batches that were finished before a kill are read from the file, not done again."""

import json
from pathlib import Path

import pytest

from stages.evaluating import resumable_batches


class Killed(Exception):
    pass


def test_finished_batches_are_not_done_again(tmp_path: Path) -> None:
    file = tmp_path / "batches.jsonl"
    calls = []

    def double(batch):
        calls.append(list(batch))
        if 6 in batch and len(calls) == 3:
            raise Killed
        return [[x * 2, x / 3] for x in batch]

    with pytest.raises(Killed):
        list(resumable_batches.run([1, 2, 3, 4, 5, 6, 7], 2, double, file))
    results = list(resumable_batches.run([1, 2, 3, 4, 5, 6, 7], 2, double, file))

    assert calls == [[1, 2], [3, 4], [5, 6], [5, 6], [7]]
    assert results == [(b, [[x * 2, x / 3] for x in b]) for b in ([1, 2], [3, 4], [5, 6], [7])]


def test_a_batch_with_an_incomplete_line_is_done_again(tmp_path: Path) -> None:
    file = tmp_path / "batches.jsonl"
    list(resumable_batches.run([1, 2, 3], 1, lambda batch: batch, file))
    file.write_bytes(file.read_bytes()[:-3])
    calls = []

    results = list(resumable_batches.run([1, 2, 3], 1, lambda batch: calls.append(batch) or batch, file))

    assert (results, calls) == ([([1], [1]), ([2], [2]), ([3], [3])], [[3]])
    assert [json.loads(line) for line in file.read_text().splitlines()] == [[1], [2], [3]]
