"""Prose that differs in its marks alone says the same; code that does is other code."""

import pytest

from stages import dedup
from tests.test_dedup import LONG, OTHER, PARAMS, by_id, chat, find_duplicates


def test_prose_that_differs_in_case_and_spaces_only_is_a_near_duplicate() -> None:
    kept, *rest = by_id(chat(LONG), chat(LONG.upper()), chat(LONG.replace(" ", "\n")))

    expected = sorted((row.id, kept.id, "near_duplicate", 1.0) for row in rest)
    assert find_duplicates([*rest, kept, chat(OTHER)]) == expected


FORMS = 'It\'s "new" & so - as I said... I ❤ the *very* first part.'


def test_prose_in_other_marks_is_a_near_duplicate_and_code_is_none() -> None:
    said = FORMS.replace("*", "")
    copies = [
        said.replace("new", "n\u200bew"), said.replace("new", "n\u00adew\ufeff"), said.replace("❤", "❤\ufe0f"),
        said.replace("&", "&amp;").replace("'", "&#39;"), said.replace("... ", "...<br>"), said.replace(" - ", " — "),
        said.replace("'", "’").replace(' "new" ', " “new” "), said.replace("very first", "**very first**"), FORMS,
    ]  # fmt: skip
    kept, *rest = by_id(*(chat(said, "", text) for text in (said, *copies)))
    code = [
        chat(LONG, "", f"Sure:\n```\nprint({mark})\n```") for mark in ("'a'", "‘a’", "'&amp;a'", "'&a'", "'a\u200b'")
    ]
    spans = [chat(LONG, "", f"Then you write `{mark}` here.") for mark in ("&amp;", "&", "<br>")]

    assert find_duplicates([kept, *rest]) == sorted((row.id, kept.id, "near_duplicate", 1.0) for row in rest)
    assert find_duplicates([*code, *spans]) == []


CODE = "def total(xs):\n    n = 0\n    for x in xs:\n        n += len(re.findall(r'\\d+', x))\n    return n"


@pytest.mark.parametrize(
    "other", [CODE.replace("    return", "        return"), CODE.replace("d+", "D+"), CODE.replace("n += ", "N += ")]
)
@pytest.mark.parametrize("shape", ["{}", "Sure:\n```python\n{}\n```"])
def test_code_that_differs_in_case_or_indentation_is_another_answer(other: str, shape: str) -> None:
    rows = [chat(LONG, "", shape.format(code)) for code in (CODE, other)]

    duplicates, conflicts = dedup.find_duplicates(rows, PARAMS)

    assert duplicates == [] and len(conflicts) == 2
