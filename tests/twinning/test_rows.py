"""The twin is driven with the first rows and with the first of each kind that breaks something elsewhere."""

from stages.rows.row import Chat, Message, Text, make_row
from stages.twinning import rows


def chat(question: str, *before: Message) -> Chat:
    return Chat([*before, Message("user", question), Message("assistant", "yes")])


def test_the_first_of_each_shape_the_longest_and_one_that_is_not_nfc_are_chosen() -> None:
    plain = [make_row(chat(f"question {i}")) for i in range(30)]
    system = make_row(chat("hello", Message("system", "be short")))
    several = make_row(chat("hello", Message("user", "hi"), Message("assistant", "hi")))
    masked = make_row(chat("hello", Message("user", "hi"), Message("assistant", "hi", train=False)))
    longest, composed = make_row(chat("long " * 50)), make_row(chat("cafe\u0301"))

    picked = rows.chosen([*plain, system, several, masked, longest, composed], 8)

    assert {system.id, several.id, masked.id, longest.id, composed.id} <= {row.id for row in picked}
    assert {row.id for row in plain[:3]} <= {row.id for row in picked}
    assert len(picked) == 8
    assert picked == sorted(picked, key=lambda row: row.id)


def test_rows_that_would_cost_minutes_are_left_out_unless_all_are_such() -> None:
    short, long = make_row(Text("short")), [make_row(Text("long" * (2000 + i))) for i in range(3)]

    assert rows.chosen([*long, short], 8) == [short]
    assert {row.id for row in rows.chosen(long, 2)} == {long[0].id, long[1].id}


def test_no_rows_give_none() -> None:
    assert rows.chosen([], 8) == []


def test_a_combining_accent_is_not_nfc_and_a_composed_one_is() -> None:
    assert not rows.is_nfc(make_row(Text("cafe\u0301")))
    assert rows.is_nfc(make_row(Text("caf\u00e9")))
