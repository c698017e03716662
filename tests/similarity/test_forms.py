"""The same text in other marks is compared as equal; what is code, or could be, is not changed."""

import pytest

from stages.similarity.forms import plain_form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("zero\u200bwidth\ufeff so\u00adft", "zerowidth soft"),
        ("I ❤\ufe0f it", "I ❤ it"),
        ("“It’s” «so»…", '"It\'s" "so"...'),
        ("5–10, well‑known, −3", "5-10, well-known, -3"),
        ("so—then", "so - then"),
        ("a\u00a0b\u202fc", "a b c"),
        ("Tom &amp; Ann&#39;s &quot;house&quot;&nbsp;here", 'Tom & Ann\'s "house" here'),
        ("one<br>two<br />three<BR/>", "one\ntwo\nthree\n"),
        ("**Note**: it is *very* new, ***really***.", "Note: it is very new, really."),
        ("It is _very new_, _really_.", "It is very new, really."),
    ],
)
def test_forms_of_the_same_text_are_one(text: str, expected: str) -> None:
    assert plain_form(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2 * 3 * 4 and a*b*c", "f(*args, **kwargs)", "**/*.py", "call __init__ or _id1_", "snake_case_name",
        "Write &amp; for & there", "a &lt; b", "`&amp;` and `<br>` and `*x*`", "if a < b", "?a=1&b=2", "f(*a)(*b)",
    ],
)  # fmt: skip
def test_what_may_be_code_stays(text: str) -> None:
    assert plain_form(text) == text
