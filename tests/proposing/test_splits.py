"""Splits that the source gives are kept where they can be used; a name that leaves no rows to train on is told."""

from collections import Counter

import pytest

from modelmake.errors import UserError
from stages.proposing import splits
from stages.proposing.proposal import of_ingest
from stages.proposing.survey import File, Survey
from stages.rows.row import Row, Text, make_row


def survey(**files: dict[str, int]) -> Survey:
    """Files of {split: rows}."""
    found = Survey([], {}, {})
    for name, counts in files.items():
        found.files.append(File(name, None, Counter(), sum(counts.values()), True, Counter(), Counter(counts), {}))
        for split, n in counts.items():
            for i in range(n):
                row = make_row(Text(f"{name} {split} {i}"), split)
                found.rows[row.id] = (row, name)
    return found


def test_without_given_splits_many_rows_have_smaller_shares() -> None:
    assert splits.plan(survey(a={"": 100}))[:4] == ("the source gives none", 0.1, 0.2, False)
    assert splits.plan(survey(a={"": 2000}))[1:3] == (0.05, 0.1)
    assert splits.plan(survey(a={"": 50_000}))[1:3] == (0.006, 0.02)


def test_given_train_and_test_stay_and_val_comes_from_train() -> None:
    found = splits.plan(survey(a={"train": 2000}, b={"test": 10}))

    assert found == (
        "all of a is train; all of b is test; val is taken from train, as the source gives none", 0.05, 0.0, True, True
    )  # fmt: skip


def test_three_given_splits_stay_as_they_are() -> None:
    assert splits.plan(survey(a={"train": 9, "val": 2, "test": 3}))[1:] == (0.0, 0.0, False, True)


def test_rows_without_a_split_are_trained_on_beside_a_given_test_split() -> None:
    assert splits.plan(survey(a={"": 2000}, b={"test": 10}))[1:] == (0.05, 0.0, True, True)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_one_given_split_alone_is_not_taken_and_its_name_is_told(split: str) -> None:
    found = splits.plan(survey(my_file={split: 100}))

    lacks = "test" if split != "test" else "train"
    assert found == (
        f"all of my_file is {split}, and none is {lacks}: rows are split by hash, whatever the source says",
        0.1, 0.2, False, False,
    )  # fmt: skip


def test_the_word_of_a_name_that_makes_a_file_test_is_told() -> None:
    found = splits.plan(survey(**{"train/0.csv": {"train": 20}, "squad-eval.jsonl": {"test": 9}, "b": {"test": 1}}))

    assert found.reason == (
        "all of train/0.csv is train, by 'train' in its name; all of squad-eval.jsonl is test, by 'eval' in its name; "
        "all of b is test; val is taken from train, as the source gives none"
    )


def test_records_that_would_be_lost_are_told_by_their_share_and_most_of_them_are_refused() -> None:
    def lost(records: int, max_rejected: float = 0.02, **reasons: int) -> list[tuple[float, str]]:
        file = File("a", None, Counter(), records, True, Counter(reasons), Counter({"": records}), {})
        found = of_ingest(Survey([file], {}, {}), splits.Plan("", 0.1, 0.1, False, True), max_rejected)
        return [(d.value, d.reason) for d in found if d.where == "ingest.max_rejected_fraction"]

    told = "records are unusable (%s): look with `modelmake check`"
    assert lost(100, no_field=1) == [(0.02, f"1 of 100 {told % '1 no_field'}")]
    many = told % "30 no_field"
    assert lost(100, no_field=30) == [(0.3, f"30.0% of the records will be in no row: 30 of 100 {many}")]
    assert lost(100, unrated=90) == []
    with pytest.raises(UserError, match=r"51 of 100 .*; want most of them usable: .*\{max_rejected_fraction: 0.51\}`"):
        lost(100, no_field=51)
    assert lost(100, 0.51, no_field=51)[0][0] == 0.51


def by_number(row: Row, plan: splits.Plan) -> str:
    number = int(row.content.text.split()[-1]) / 5
    if number < plan.test_fraction:
        return "test"
    return "val" if number < plan.test_fraction + plan.val_fraction else "train"


def test_fractions_grow_until_every_split_has_rows() -> None:
    few = survey(a={"": 5})
    plan = splits.Plan("", 0.05, 0.1, False, True)

    assert splits.widened(plan, few, by_number, ["text"])[1:3] == (0.1, 0.2)


def test_rows_that_no_fractions_divide_are_refused() -> None:
    with pytest.raises(UserError, match="1 rows, too few or in too few groups: train has no text, val has no text"):
        splits.widened(splits.plan(survey(a={"": 1})), survey(a={"": 1}), by_number, ["text"])


def test_rows_lose_the_split_that_is_not_taken() -> None:
    found = survey(a={"test": 1})

    assert [row.split for row in splits.rows_under(splits.plan(found), found)] == [""]
