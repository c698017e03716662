"""The changes of a file are told line by line, and any of them can be put back."""

import random

import pytest

from modelmake.blaming import halves
from modelmake.blaming.halves import Edit

OLD = b"a\nb\nc\nd\n"


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (OLD, []),
        (b"a\nB\nC\nd\n", [Edit(1, b"b\n", True), Edit(2, b"c\n", True)]),
        (b"a\nb\nx\ny\nc\nd\n", [Edit(2, b"", True), Edit(3, b"", True)]),
        (b"a\nd\n", [Edit(1, b"b\n", False), Edit(1, b"c\n", False)]),
        (b"a\nX\nd\n", [Edit(1, b"b\n", True), Edit(2, b"c\n", False)]),
        (b"a\nb\nc\nd", [Edit(3, b"d\n", True)]),
        (b"", [Edit(0, b"a\n", False), Edit(0, b"b\n", False), Edit(0, b"c\n", False), Edit(0, b"d\n", False)]),
    ],
)
def test_each_changed_line_is_an_edit_at_its_place_in_the_new_file(new: bytes, expected: list[Edit]) -> None:
    assert halves.edits(OLD, new) == expected
    assert halves.put_back(new, expected) == OLD


def test_half_of_the_edits_leaves_the_other_half() -> None:
    new = b"A\nb\nC\nD\n"
    first, second = halves.halves(halves.edits(OLD, new))

    assert (halves.put_back(new, first), halves.put_back(new, second)) == (b"a\nb\nc\nD\n", b"A\nb\nC\nd\n")
    assert (halves.words(first), halves.words(second)) == ("lines 1 to 3, 2 changed", "line 4, 1 changed")


def test_a_last_line_without_an_end_gets_one_where_it_is_not_the_last() -> None:
    old, new = b"a\nb", b"a\nb\nc\nd\n"
    first, second = halves.halves(halves.edits(old, new))

    assert (halves.put_back(new, first), halves.put_back(new, second)) == (b"a\nb\nd\n", b"a\nb\nc\n")
    assert halves.put_back(new, [*first, *second]) == old


def test_one_edit_has_no_halves() -> None:
    [edit] = halves.edits(OLD, b"a\nb\nc\nD\n")

    assert halves.halves([edit]) == [[edit]]


@pytest.mark.parametrize("seed", range(20))
def test_all_edits_put_back_give_the_old_file_and_none_the_new(seed: int) -> None:
    chance = random.Random(seed)
    old, new = (b"".join(chance.choice([b"a\n", b"b\n", b"c\n"]) for _ in range(chance.randrange(30))) for _ in "12")
    found = halves.edits(old, new)

    assert halves.put_back(new, found) == old
    assert halves.put_back(new, []) == new
