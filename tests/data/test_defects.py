"""Planted defects: each is in exactly the rows that the manifest lists."""

import re
from collections import defaultdict

import ftfy
from ftfy.badness import is_bad

from tests.data.dataset import ALL, BROKEN, CHATS, DIGITS, EMAIL, IBAN, PAIRS, WHERE, natural


def pii_in(text: str) -> dict[str, list[str]]:
    matches = {"email": EMAIL.findall(text), "iban": IBAN.findall(text)}
    rest = IBAN.sub(" ", text)
    numbers = DIGITS.findall(rest)
    matches["card"] = [number for number in numbers if sum(map(str.isdigit, number)) == 16]
    matches["phone"] = [number for number in numbers if 9 <= sum(map(str.isdigit, number)) <= 13]
    return {kind: values for kind, values in matches.items() if values}


def test_personal_data_is_in_exactly_the_planted_rows_and_in_no_answer() -> None:
    places_by_kind: dict[str, set[str]] = defaultdict(set)
    for row in ALL:
        kinds = pii_in(row.user)
        assert sum(map(len, kinds.values())) <= 1, row
        assert not pii_in(row.answer + " " + row.rejected)
        for kind in kinds:
            places_by_kind[f"pii_{kind}"].add(row.place)
    assert places_by_kind == {kind: places for kind, places in WHERE.items() if kind.startswith("pii_")}


def test_cards_pass_luhn() -> None:
    cards = [card for row in ALL for card in pii_in(row.user).get("card", [])]
    assert len(cards) == 15 and {" ", "-"} <= set("".join(cards))
    for card in cards:
        digits = [int(char) for char in reversed(card) if char.isdigit()]
        assert (sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0, card


def test_ibans_pass_mod_97() -> None:
    ibans = [iban.replace(" ", "") for row in ALL for iban in pii_in(row.user).get("iban", [])]
    length = {"GB": 22, "NL": 18, "IE": 22, "DE": 22}
    assert len(ibans) == 12
    for iban in ibans:
        assert len(iban) == length[iban[:2]]
        assert int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1, iban


def test_mojibake_is_in_exactly_the_planted_rows_and_ftfy_repairs_it() -> None:
    assert {row.place for row in ALL if is_bad(row.user)} == WHERE["mojibake"]
    for row in ALL:
        fixed = ftfy.fix_text(row.user)
        if row.place in WHERE["mojibake"]:
            assert not is_bad(fixed) and not re.search("[ÃÂâ\x80-\x9f]", fixed), fixed
            assert re.search("[éüöóç€–]", fixed) or "'" in fixed
        else:
            assert fixed == row.user, "ftfy must leave a sound row alone"


def test_refusals_and_empty_answers_are_in_exactly_the_planted_rows() -> None:
    beginnings = (
        "I'm sorry",
        "I am sorry",
        "Sorry, but",
        "As an AI",
        "I can",
        "I'm un",
        "I am un",
        "Unfortunately",
    )
    assert {row.place for row in CHATS if row.answer.startswith(beginnings)} == WHERE["refusals"]
    assert {row.place for row in CHATS if not row.answer.strip()} == WHERE["empty_answers"]
    assert len({row.answer for row in CHATS if row.place in WHERE["refusals"]}) >= 8


def test_broken_lines_are_exactly_the_planted_lines() -> None:
    assert set(BROKEN) == WHERE["broken_json"]
    assert {place.split(":")[0] for place in BROKEN} == {"chats.jsonl", "messages.jsonl"}


def test_only_planted_messages_are_over_long() -> None:
    assert {row.place for row in CHATS if len(row.user) > 4000} == WHERE["over_long"]
    assert max(len(row.user) for row in natural(CHATS) + PAIRS) < 400
