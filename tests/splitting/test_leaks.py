"""Leaks: nothing similar to a held-out row, a golden chat or an evaluation set is trained on."""

from typing import Any

import pytest

from stages.rows.row import Chat, Judged, Message, Pair, Row, make_row
from stages.similarity.shingles import jaccard, shingles
from tests.made_up_splitting import FIRST, MIDDLE, SECOND, THIRD, chat, run, text


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
        chat("How many\u200b **eggs**?", "train", "43"),
        pair("How many eggs?", "Four, I would say.", "None at all.", "train"),
    ]
    others = [chat("How many hens?", "train", "42"), text("How many eggs?", "train")]

    placed, leaks, report = run([held, *asking, *others])

    assert placed.keys() == {held.id, *(row.id for row in others)}
    assert [leak[:5] for leak in leaks] == sorted(
        (row.id, "train", held.id, held_out, f"asked_in_{held_out}") for row in asking
    )
    assert {leak[5] for leak in leaks} == {1.0}, "the similarity is that of the questions"
    assert report["dropped"] == {f"asked_in_{held_out}": 3}


def test_rows_of_one_split_may_ask_the_same() -> None:
    assert run([chat("How many eggs?", "test", "9"), chat("How many eggs?", "test", "nine of them")])[1] == []


@pytest.mark.parametrize("held_out", ["chat", "text"])
def test_a_text_that_has_question_and_answer_of_a_chat_is_a_leak(held_out: str) -> None:
    rows = {"chat": chat(FIRST, "train"), "text": text(f"{FIRST}\nok", "train")}
    held = rows[held_out] = make_row(rows[held_out].content, "test")

    placed, [leak], _ = run(list(rows.values()))

    assert list(placed) == [held.id] and leak[4] == "similar_to_test"


def dialogue(turns: int, split: str, last: str = "", system: str = "") -> Row:
    texts = [f"turn {number}" for number in range(turns - 1)] + [last or f"turn {turns - 1}"]
    said = [Message("assistant" if number % 2 else "user", text) for number, text in enumerate(texts)]
    return make_row(Chat([*([Message("system", system)] if system else []), *said]), split)


@pytest.mark.parametrize("held_out", [2, 4, 6])
def test_of_a_dialogue_with_a_row_for_each_turn_nothing_is_trained_on_if_one_row_is_held_out(held_out: int) -> None:
    rows = [dialogue(turns, "test" if turns == held_out else "train", system="Be kind." * (turns == 4))
            for turns in (2, 4, 6)]  # fmt: skip
    held = next(row for row in rows if row.split == "test")

    placed, leaks, _ = run(rows)

    assert list(placed) == [held.id]
    assert {leak[4] for leak in leaks} == {"asked_in_test"} and {leak[5] for leak in leaks} == {1.0}


def test_dialogues_that_begin_alike_and_go_on_otherwise_are_no_leaks() -> None:
    held, other = dialogue(4, "test"), dialogue(2, "train", last="Another answer.")
    longer = make_row(
        Chat([*other.content.messages, Message("user", "So what?"), Message("assistant", "No.")]), "train"
    )

    assert run([held, other, longer])[0].keys() == {held.id, other.id, longer.id}


@pytest.mark.parametrize("held_out", [2, 4])
@pytest.mark.parametrize(("ways", "dropped"), [(3, True), (4, False)])
def test_an_opening_that_dialogues_go_on_from_in_four_ways_is_no_leak(held_out: int, ways: int, dropped: bool) -> None:
    opening = dialogue(2, "test" if held_out == 2 else "train")
    asked = ("My kettle leaks!", "Can I pay by card?", "Where do you live?", "Which tea is best?")[:ways]
    longer = [
        make_row(Chat([*opening.content.messages, Message("user", question), Message("assistant", answer)]),
                 "test" if held_out == 4 and question == asked[0] else "train")
        for question in asked for answer in ("ok", f"I will ask: {question}")
    ]  # fmt: skip
    kept = {row.id for row in [opening, *longer] if row.split == "test" or (held_out == 4 and row is not opening)}

    assert run([opening, *longer])[0].keys() == (kept if dropped else {row.id for row in [opening, *longer]})


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


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("evaluations", [[], ["x", MIDDLE]])
def test_a_row_that_asks_what_two_held_out_rows_ask_is_dropped_though_one_of_them_goes_too(
    order: int, evaluations: list[str]
) -> None:
    test = (
        [] if evaluations else [chat("How many eggs!", "test", MIDDLE)]
    )  # similar to the row that goes, not in question
    goes, stays = (chat("How many eggs?", "val", answer) for answer in (MIDDLE, "Nine."))
    train = chat("How many eggs?", "train", "42")

    placed, dropped, _ = run([*test, *[goes, stays][::order], train], evaluations=evaluations)

    assert placed.keys() == {stays.id, *(row.id for row in test)}
    assert [line[2] for line in dropped if line[0] == train.id] == [stays.id]


SYSTEM = "You are the agent of a shop for kitchen machines. Answer briefly, and never promise a date. " * 4


def test_a_shared_system_prompt_alone_is_no_leak() -> None:
    def asking(question: str, split: str, system: str = SYSTEM) -> Row:
        turns = [Message("system", system), Message("user", question), Message("assistant", "I will ask.")]
        return make_row(Chat(turns), split)

    held, other = asking("Where is my kettle?", "test"), asking("Can I cancel the toaster?", "train")
    leaks = [asking("Where is my  kettle?", "train"), asking("Where is my kettle?", "train", "Be kind.")]

    assert run([held, other])[0].keys() == {held.id, other.id}
    assert run([held, other, *leaks])[0].keys() == {held.id, other.id}


def test_a_shared_instruction_alone_is_no_leak_and_hides_none() -> None:
    things = ["kettle", "toaster", "grinder", "frother", "oven", "mixer", "sealer", "slicer", "griddle", "juicer"]
    train = [chat(f"{SYSTEM}\nWhere is my {thing}?", "train", "I will ask.") for thing in things]
    held = chat(f"{SYSTEM}\nCan I cancel it?", "test", "I will ask.")
    leaking = chat(f"{SYSTEM}\nCan I cancel it??", "train", "No.")

    assert run([held, leaking, *train])[0].keys() == {held.id, *(row.id for row in train)}


def test_a_like_question_is_a_leak_whatever_it_is_answered() -> None:
    held, leaking = chat(FIRST, "test", "Nine eggs."), chat(SECOND, "train", "A long answer of many other words. " * 9)

    placed, [leak], _ = run([held, leaking])

    assert list(placed) == [held.id] and leak[4] == "asked_in_test" and 0.85 <= leak[5] < 1


def test_a_judged_answer_to_a_held_out_question_is_a_leak() -> None:
    judged = make_row(Judged([Message("user", FIRST)], [Message("assistant", "no")], False), "train")

    assert run([chat(FIRST, "test", "yes"), judged])[0].keys() == {chat(FIRST, "", "yes").id}
