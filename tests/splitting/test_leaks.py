"""Leaks: nothing similar to a held-out row, a golden chat or an evaluation set is trained on."""

from typing import Any

import pytest

from stages.rows.row import Message, Pair, Row, make_row
from stages.similarity.shingles import jaccard, shingles
from tests.made_up_splitting import FIRST, SECOND, THIRD, chat, run, text


def pair(prompt: str, chosen: str, rejected: str, split: str) -> Row:
    turns = [[Message("user", prompt)], [Message("assistant", chosen)], [Message("assistant", rejected)]]
    return make_row(Pair(*turns), split)


@pytest.mark.parametrize(
    ("first", "second", "dropped"),
    [("train", "val", 0), ("test", "train", 1), ("val", "test", 0), ("train", "train", None), ("test", "test", None)],
)
@pytest.mark.parametrize("make", [chat, text])
def test_a_row_similar_to_one_in_a_stronger_split_is_dropped_and_reported(
    make: Any, first: str, second: str, dropped: int | None
) -> None:
    rows = [make(FIRST, first), make(SECOND, second)]

    placed, leaks, report = run(rows)

    if dropped is None:
        assert (set(placed), leaks, report["dropped"]) == ({rows[0].id, rows[1].id}, [], {})
    else:
        loser, winner = rows[dropped], rows[1 - dropped]
        [(*ids_and_splits, reason, similarity)] = leaks
        assert list(placed) == [winner.id]
        assert ids_and_splits == [loser.id, loser.split, winner.id, winner.split]
        assert reason == f"similar_to_{winner.split}"
        assert 0.85 <= similarity < 1
        assert report["dropped"] == {f"similar_to_{winner.split}": 1}


def test_a_row_dropped_from_val_drops_nothing_from_train() -> None:
    similar, also_similar, unlike = (
        jaccard(shingles(a, 5), shingles(b, 5)) for a, b in ((FIRST, SECOND), (SECOND, THIRD), (FIRST, THIRD))
    )
    assert similar >= 0.85 and also_similar >= 0.85 and unlike < 0.85
    test, val, train = text(FIRST, "test"), text(SECOND, "val"), text(THIRD, "train")

    assert {i: split for i, (split, _) in run([test, val, train])[0].items()} == {test.id: "test", train.id: "train"}
    assert set(run([val, train])[0]) == {val.id}


@pytest.mark.parametrize("held_out", ["test", "val"])
def test_a_pair_whose_prompt_and_chosen_answer_are_a_held_out_chat_is_dropped_from_train(held_out: str) -> None:
    held = chat(FIRST, held_out)
    leaking = pair(FIRST, "ok", "Something else that is long enough to make the whole pair look different.", "train")

    assert run([held, leaking])[1] == [(leaking.id, "train", held.id, held_out, f"similar_to_{held_out}", 1.0)]


def test_a_chat_is_dropped_from_train_if_a_held_out_pair_has_it() -> None:
    held, leaking = pair(FIRST, "ok", "no", "test"), chat(FIRST, "train")

    assert run([held, leaking])[1] == [(leaking.id, "train", held.id, "test", "similar_to_test", 1.0)]


@pytest.mark.parametrize("held_out", ["test", "val"])
def test_a_row_that_asks_a_held_out_question_is_dropped_whatever_it_answers(held_out: str) -> None:
    held = chat("How many eggs?", held_out, "16 - 3 - 4 = 9, so nine.")
    asking = [
        chat("How  many EGGS? ", "train", "42"),
        pair("How many eggs?", "Four, I would say.", "None at all.", "train"),
    ]
    others = [chat("How many hens?", "train", "42"), text("How many eggs?", "train")]

    placed, leaks, report = run([held, *asking, *others])

    assert placed.keys() == {held.id, *(row.id for row in others)}
    assert [leak[:5] for leak in leaks] == sorted(
        (row.id, "train", held.id, held_out, f"asked_in_{held_out}") for row in asking
    )
    assert all(leak[5] < 0.85 for leak in leaks)
    assert report["dropped"] == {f"asked_in_{held_out}": 2}


def test_rows_of_one_split_may_ask_the_same() -> None:
    assert run([chat("How many eggs?", "test", "9"), chat("How many eggs?", "test", "nine of them")])[1] == []


def test_a_text_and_a_chat_are_not_compared() -> None:
    assert run([chat(FIRST, "test"), text(f"{FIRST}\nok", "train")])[1] == []


def test_golden_chats_are_written_apart_and_nothing_similar_is_trained_on() -> None:
    also_in_rows, similar, similar_in_test, new = (
        chat(FIRST, "train"), chat(SECOND, "val"), chat(SECOND, "test"), chat("Why?"),
    )  # fmt: skip
    golden = [row.content for row in (also_in_rows, new)]

    placed, leaks, report = run([also_in_rows, similar, text("other", "train")], golden=golden)

    assert {i: split for i, (split, _) in placed.items()} == {
        also_in_rows.id: "golden", new.id: "golden", text("other").id: "train",
    }  # fmt: skip
    assert [leak[:5] for leak in leaks] == [(similar.id, "val", also_in_rows.id, "test", "similar_to_test")]
    assert (report["in"], report["out"], report["splits"]["test"]["golden"]) == (3, 2, 2)
    assert run([similar_in_test], golden=golden)[0].keys() == {similar_in_test.id, also_in_rows.id, new.id}, (
        "held-out rows may be similar to golden chats"
    )


def test_rows_that_share_a_run_of_words_with_an_evaluation_set_are_not_trained_on() -> None:
    shared = "tell me how old is the oldest spider"
    train, val, test, other = (
        chat(shared, "train"), text(f"{shared}.", "val"), chat(shared, "test", "9"), text("x", "train"),
    )  # fmt: skip

    placed, dropped, report = run(
        [train, val, test, other], evaluations=["nothing", "So how old is the oldest spider?"]
    )

    assert placed.keys() == {test.id, other.id}
    assert dropped == sorted(
        (row.id, split, "contaminated", "e.txt:3", 6, "how old is the oldest spider")
        for row, split in ((train, "train"), (val, "val"))
    )
    assert (report["dropped"], report["contaminated"]) == ({"contaminated": 2}, {"e.txt": 2})


def test_a_contaminated_row_drops_no_other() -> None:
    val, train = chat(FIRST, "val"), chat(SECOND, "train")
    assert set(run([val, train])[0]) == {val.id}

    assert set(run([val, train], evaluations=["The first one: I ordered"])[0]) == {train.id}
