"""Texts: what is repaired and redacted, and above all what is left alone."""

import time
from typing import Any

import pytest

from stages import clean, pii
from stages.params.cleaning import Clean
from stages.pii import national
from stages.rows.accounting import Drop
from stages.rows.row import Chat, Function, Message, Pair, Row, Text, ToolCall, make_row
from tests import made_up_cleaning
from tests.made_up_cleaning import PARAMS


def cleaned(row: Row, params: Clean = PARAMS) -> tuple[Row | Drop, list[str]]:
    return clean.clean(row, params)[:2]


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("It doesnâ€™t work at the cafÃ©.", "It doesn’t work at the café.", "mojibake"),
        ("SchÃ¶ne GrÃ¼ÃŸe", "Schöne Grüße", "mojibake"),
        ("5 â‚¬", "5 €", "mojibake"),
        ("cafe\u0301", "caf\u00e9", "nfc"),
        ("a\0b\x07c\x7fd\x1b", "abcd", "control"),
        ("e\0\u0301", "\u00e9", "control nfc"),  # composed once the control character between is gone
        ("a\r\nb\rc\td\n", "a\nb\nc\td\n", "control"),
        ("a\r\nb\rc\n", "a\nb\nc", "control strip"),
        ("one page\x0canother\x0bline", "one page\nanother\nline", "control"),
        ("Ã\0©", "é", "control mojibake"),  # mojibake only once the control character between is gone
        ("write to a.b+c@shop.example.org.", "write to [EMAIL].", "email"),
        ("a_b@x-y.museum, jürgen@müller.de", "[EMAIL], [EMAIL]", "email"),
        ("DE89 3704 0044 0532 0130 00", "[IBAN]", "iban"),
        ("NL91ABNA0417164300", "[IBAN]", "iban"),
        ("MT84 MALT 0110 0001 2345 MTLC AST0 01S", "[IBAN]", "iban"),
        ("BE68 5390 0754 7034 BIC KREDBEBB", "[IBAN] BIC KREDBEBB", "iban"),
        ("AT61 1904 3002 3457 3201 AT48 3200 0000 1234 5864", "[IBAN] [IBAN]", "iban"),
        ("NO REF AB12 NO93 8601 1117 947.", "NO REF AB12 [IBAN].", "iban"),
        ("4111 1111 1111 1111", "[CARD]", "card"),
        ("4111-1111-1111-1111, 378282246310005", "[CARD], [CARD]", "card"),
        ("4111 1111 1111 1111 12/27", "[CARD] 12/27", "card"),
        ("030 1234567 4111111111111111", "[PHONE] [CARD]", "card phone"),
        ("a@b.de DE89370400440532013000", "[EMAIL] [IBAN]", "iban email"),
    ],
)  # fmt: skip
def test_a_text_is_repaired_and_redacted_by_the_rules_named(before: str, after: str, rule: str) -> None:
    row = make_row(Text(before), "val")

    assert cleaned(row) == (make_row(Text(after), "val"), rule.split())


@pytest.mark.parametrize(
    "phone",
    [
        "+49 30 1234567", "+49 (0)30 123456", "+4930123456", "0049 30 1234567", "030/1234567", "(030) 1234567",
        "0151-23456789", "+44 20 7946 0958", "020 7946 0958", "+33 1 42 68 53 00", "01.42.68.53.00", "415-555-0123",
        "(415) 555-0123", "415.555.0123", "1-800-555-0199", "+1 415 555 0123", "+420 601 123 456", "+45 12 34 56 78",
        "+91 98765 43210", "+39 06 1234 5678", "0800 123456",
    ],
)  # fmt: skip
def test_a_phone_number_is_redacted_however_it_is_spelt(phone: str) -> None:
    row = make_row(Text(f"Call {phone}, or room 5 +49 30 1234567."))

    assert cleaned(row) == (make_row(Text("Call [PHONE], or room 5 [PHONE].")), ["phone"])


@pytest.mark.parametrize(
    "text",
    [
        "order 63933", "order 2024-000123", "case #1234567890", "4567 0123 4567 8901", "9417 6633 6788 8522",
        "4111111111111112", "room 0123 4567",
        "00340434161094015902", "EAN 4006381333933", "ISBN 978-0-306-40615-7", "GB29 NWBK 6016 1331 9268 18",
        "5 €", "1.299,00 EUR", "$1,000,000.00", "0.123456789", "0,1234567890", "2024-05-01", "2024-05-01 09:30:00",
        "01.02.2024 10:30", "05-11-2024 09:30", "05/11/2024 09:30", "10:00 05.11.2024", "9:00-17:00", "24/7",
        "version 0.10.20240101", "v1.2.3", "192.168.100.200", "a@b", "@name", "user at example.org", "[PHONE] [CARD]",
        "1" * 30, "x4111111111111111", "dot. com", "naïve café, 你好 🙂👍🏽",
    ],
)  # fmt: skip
def test_texts_that_only_look_like_personal_data_stay(text: str) -> None:
    row = make_row(Text(f"See {text}, please."))

    assert cleaned(row) == (row, [])


CALLED = {
    "code": "    return x\r\n",
    "to": ["\ta@b.de\n", {"body": " +4930123456\0 "}],
    "n": 4930123456,
    "caf\u00e9 ": "cafÃ©",
}


def called(arguments: dict[str, Any], content: str = "", reasoning: str = "", answer: str = "sent") -> Row:
    """A call of a tool, its answer, and an answer in words."""
    call = ToolCall(Function("send", arguments), "function")
    return make_row(
        Chat(
            [Message("user", "q"), Message("assistant", content, [call], reasoning_content=reasoning, train=False),
             Message("tool", answer), Message("assistant", "Sent.")],
            [{"type": "function", "function": {"name": "send", "description": " Mails a@b.de \n"}}],
        )
    )  # fmt: skip


def test_strings_in_arguments_keep_their_white_space_and_lose_personal_data() -> None:
    row, rules = cleaned(called(CALLED))

    expected = {"code": "    return x\r\n", "to": ["\t[EMAIL]\n", {"body": " [PHONE]\0 "}], "n": 4930123456,
                "caf\u00e9 ": "café"}  # fmt: skip
    assert row == called(expected)
    assert rules == ["mojibake", "email", "phone"]


def test_a_whole_number_in_arguments_that_is_personal_data_is_redacted_and_others_stay() -> None:
    arguments = {"card": [4111111111111111], "n": {"a": 1234567, "b": True, "c": 12, "d": 0.5}, "at": 1767225600}

    row, rules = cleaned(called(arguments))

    assert (row, rules) == (called({**arguments, "card": ["[CARD]"]}), ["card"])


def test_what_a_tool_answers_keeps_its_white_space() -> None:
    row, rules = cleaned(called({}, answer=" a@b.de\x0c\r\n"))

    assert (row, rules) == (called({}, answer=" [EMAIL]\x0c\r\n"), ["email"])


def test_reasoning_is_cleaned_as_content_is() -> None:
    row, rules = cleaned(called({}, " One. ", "\nMail a@b.de.\n"))

    assert (row, rules) == (called({}, "One.", "Mail [EMAIL]."), ["strip", "email"])


@pytest.mark.parametrize("code", ["    return x\n", "def f(x):\n    return x\n"])
def test_an_answer_in_code_keeps_its_indentation_and_its_last_newline(code: str) -> None:
    row = make_row(Chat([Message("user", "Complete it."), Message("assistant", code)]))

    assert cleaned(row) == (row, [])


def test_with_white_space_kept_only_the_encoding_is_repaired() -> None:
    keep = made_up_cleaning.params(white_space="keep")

    assert cleaned(make_row(Text(" cafÃ©\0\r\n")), keep) == (make_row(Text(" café\0\r\n")), ["mojibake"])


def test_only_the_kinds_asked_for_are_redacted() -> None:
    row = make_row(Text("a@b.de or +49 30 1234567"))

    assert cleaned(row, made_up_cleaning.pii(redact=["phone"]))[0] == make_row(Text("a@b.de or [PHONE]"))
    assert cleaned(row, made_up_cleaning.pii(redact=[])) == (row, [])


def test_an_iban_is_no_phone_number_whatever_the_order_of_the_params() -> None:
    row = make_row(Text("NL91 ABNA 0417 1643 00"))

    assert cleaned(row, made_up_cleaning.pii(redact=["phone", "card", "iban"]))[0] == make_row(Text("[IBAN]"))


def test_every_text_of_a_row_is_cleaned_answers_too() -> None:
    turns = [
        [Message("user", "from a@b.de")],
        [Message("assistant", "to a@b.de")],
        [Message("assistant", "+4930123456")],
    ]
    masked = [
        [Message("user", "from [EMAIL]")],
        [Message("assistant", "to [EMAIL]")],
        [Message("assistant", "[PHONE]")],
    ]

    assert cleaned(make_row(Pair(*turns))) == (make_row(Pair(*masked)), ["email", "phone"])


EVERY = [kind for kind in pii.KINDS if kind not in pii.BY_PRESIDIO]
SLOW = (
    "a-" * 150_000, "0 " * 50_000, "A1 " * 50_000, "1" * 150_000, "a@" * 50_000, "a@b." * 50_000, "1.2." * 50_000,
    "a:1:" * 50_000, "::" * 50_000, "key" * 50_000, "key=" * 50_000, "eyJ" * 50_000, "eyJaaaaaaaa." * 10_000,
    "-----BEGIN PRIVATE KEY-----" * 2_000, "http://a:" * 20_000, "bearer " * 20_000, "a(at)" * 20_000, "sk-" * 50_000,
    "tel 1234567" + " " * 100_000 + "x 1234567", "a number " * 20_000, "tel a " * 30_000, "(+49) " * 40_000,
    "call " * 40_000, "call 1234567 " * 10_000, "password is " * 10_000,
)  # fmt: skip


@pytest.mark.parametrize("text", SLOW, ids=lambda text: text[:12])
def test_patterns_take_linear_time(text: str) -> None:
    started_s = time.process_time()
    pii.find(text, EVERY, list(national.COUNTRIES))

    assert time.process_time() - started_s < 5  # with an unbounded pattern it is minutes
