"""Effects by hand-written rows: what an input moved, its share, what is noise, and what inputs do together."""

from pathlib import Path

import pytest

from stages.commands import blame_effects
from stages.commands.blame_effects import Effects, Row, Rows

N = 200
DECLARED = {"least": 0.0, "most": 1.0}


def build(*wrong: range) -> Rows:
    """A build that answers every row rightly, but those in the ranges."""
    bad = {n for numbers in wrong for n in numbers}
    return {f"{n:03}": Row(f"{n:03}", f"Question {n}?", {"hits": (float(n not in bad), 1.0)}) for n in range(N)}


def effects(old: Rows, new: Rows, *mixes: Rows) -> Effects:
    ids = blame_effects.common([old, new, *mixes])
    return blame_effects.effects(old, new, mixes, ids, "hits", DECLARED, 0.95, 42)


def test_the_input_that_moved_the_score_is_told_from_one_that_did_not() -> None:
    found = effects(build(), build(range(60)), build(), build(range(60)))

    assert (found.rows, found.old, found.new, found.scores) == (200, 1.0, 0.7, [1.0, 0.7])
    assert [moved.by for moved in found.moved] == [-0.3, 0.0]
    assert [moved.shown for moved in found.moved] == [True, False]
    assert found.otherwise == [60, 0]
    assert found.difference.by == -0.3 and found.difference.shown
    assert found.difference.low < -0.3 < found.difference.high < 0
    assert (found.beyond.by, found.beyond.shown) == (0.0, False)


def test_two_inputs_that_move_other_rows_share_the_difference() -> None:
    """One spoils rows 0 to 39, the other rows 40 to 99."""
    found = effects(build(), build(range(100)), build(range(40, 100)), build(range(40)))

    assert [moved.by for moved in found.moved] == [-0.2, -0.3]
    assert all(moved.shown for moved in found.moved)
    assert (found.difference.by, found.beyond.by, found.beyond.shown) == (-0.5, 0.0, False)


def test_inputs_that_each_spoil_the_same_rows_act_together() -> None:
    """With either put back the other still spoils them: none alone moves the score, both do."""
    found = effects(build(), build(range(80)), build(range(80)), build(range(80)))

    assert [moved.shown for moved in found.moved] == [False, False]
    assert (found.beyond.by, found.beyond.shown) == (-0.4, True)


def test_a_few_rows_on_both_sides_are_noise() -> None:
    found = effects(build(range(3)), build(range(3, 8)), build(range(3)))

    assert found.moved[0].by == found.difference.by == -0.01
    assert not found.moved[0].shown and not found.difference.shown
    assert found.moved[0].low < 0 < found.moved[0].high
    assert found.beyond is None, "one input is the difference"


def test_what_one_input_alone_would_show_many_may_not() -> None:
    """Seven rows against none: by McNemar's test 0.016, which is below 0.05 and above 0.05 / 12."""
    same = build(range(7))
    alone, many = effects(build(), same, build()), effects(build(), same, build(), *[same] * 11)

    assert alone.moved[0].shown
    assert not many.moved[0].shown


def test_builds_are_compared_on_the_rows_that_all_of_them_have() -> None:
    old, new, mix = build(), build(range(50)), build()
    del old["000"], new["001"], mix["002"]
    found = effects(old, new, mix)

    assert found.rows == 197
    assert found.new == pytest.approx(1 - 47 / 197, abs=1e-6)
    assert blame_effects.score(new, "hits") == pytest.approx(1 - 49 / 199, abs=1e-6)


def test_rows_with_one_prompt_are_one_question() -> None:
    """Sixty copies of one answer are evidence of one row."""

    def copies(rows: Rows) -> Rows:
        return {id: Row(id, "Again?" if int(id) < 60 else row.prompt, row.scores) for id, row in rows.items()}

    found = effects(copies(build()), copies(build(range(60))), copies(build()))
    assert found.moved[0].by == -0.3
    assert not found.moved[0].shown


def test_rows_are_read_with_what_is_compared(tmp_path: Path) -> None:
    file = tmp_path / "sft-chat.jsonl"
    file.write_text('{"id": "a", "prompt": "p", "expected": "e", "answer": "x", "scores": {"hits": [1.0, 1.0]}}\n')

    assert blame_effects.read(file) == {"a": Row("a", "p", {"hits": (1.0, 1.0)})}


def test_draws_in_which_no_row_counts_are_left_out_and_counted() -> None:
    """Two of 200 rows count: (198/200)^200 = 13.4 % of the draws have none of them."""
    counts = {f"{n:03}": float(n < 2) for n in range(N)}
    right, rare = (
        {id: Row(id, f"Question {id}?", {"hits": (hit * of, of)}) for id, of in counts.items()} for hit in (1.0, 0.0)
    )

    found = effects(right, rare, right)

    assert (found.old, found.new, found.difference.by) == (1.0, 0.0, -1.0)
    assert found.empty_draws == pytest.approx(1340, rel=0.1)
    assert effects(build(), build(range(60)), build()).empty_draws == 0
