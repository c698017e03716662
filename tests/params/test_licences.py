"""Licences that cannot both hold are told; what is unknown is said to be unknown, never taken for free."""

from typing import NamedTuple

import pytest

from stages.params import licences


class Declared(NamedTuple):
    license: str | None


@pytest.mark.parametrize(
    ("data", "base", "release", "phrases"),
    [
        ("Apache-2.0", "mit", "Apache-2.0", []),
        ("CC-BY-NC-4.0", None, "Apache-2.0",
         ["the data, CC-BY-NC-4.0, forbids commercial use; the release, Apache-2.0, allows it"]),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", "CC-BY-NC-4.0", []),
        (None, "gpl-3.0", "MIT",
         ["the base, GPL-3.0-only, wants what is made of it under the same licence; the release is MIT"]),
        ("CC-BY-ND-4.0", None, "MIT",
         ["the data, CC-BY-ND-4.0, may not be shared changed; a model that was made of it may be such a change"]),
        ("MIT", "llama3.1", "MIT",
         ["the base, llama3.1, has rules of use that must be passed on; the release is MIT"]),
        ("MIT", "llama3.1", "llama3.1", []),
        ("CC-BY-NC-SA-4.0", None, "MIT",
         ["the data, CC-BY-NC-SA-4.0, forbids commercial use; the release, MIT, allows it",
          "the data, CC-BY-NC-SA-4.0, wants what is made of it under the same licence; the release is MIT"]),
        ("GPL-2.0-or-later", None, "GPL-3.0-only", []),
        ("GPL-3.0-or-later", None, "GPL-2.0-only",
         ["the data, GPL-3.0-or-later, wants what is made of it under the same licence; the release is GPL-2.0-only"]),
        ("GPL-2.0-only", None, "GPL-3.0-only",
         ["the data, GPL-2.0-only, wants what is made of it under the same licence; the release is GPL-3.0-only"]),
        ("AGPL-3.0-or-later", None, "AGPL-3.0-only", []),
        ("CC-BY-SA-3.0", None, "CC-BY-SA-4.0", []),
        ("CC-BY-SA-4.0", None, "CC-BY-SA-3.0",
         ["the data, CC-BY-SA-4.0, wants what is made of it under the same licence; the release is CC-BY-SA-3.0"]),
        ("CDLA-Sharing-1.0", None, "MIT", []),
        ("our own terms", None, "MIT", []),
        ("CC-BY-NC-4.0", None, None, []),
    ],
)  # fmt: skip
def test_terms_that_cannot_both_hold_are_told(
    data: str | None, base: str | None, release: str | None, phrases: list[str]
) -> None:
    assert licences.conflicts(data, base, release) == phrases


def test_preflight_is_told_of_the_rows_and_the_weights() -> None:
    chapters = {"datasheet": Declared("CC-BY-NC-4.0"), "card": Declared("MIT")}

    assert licences.notes(chapters) == [
        "params.yaml: datasheet.license, card.license: the data, CC-BY-NC-4.0, forbids commercial use; the release, "
        "MIT, allows it"
    ]
    assert licences.notes(chapters | {"card": Declared(None)}) == []


def test_what_is_not_declared_or_not_known_is_said() -> None:
    assert licences.unknown("our own terms", None, "MIT") == [
        "the terms of the data's our own terms are not known here",
        "the licence of the base is not declared",
    ]
    assert licences.unknown("MIT", "apache-2.0", "CC-BY-4.0") == []
    assert licences.unknown("CDLA-Sharing-1.0", "MIT", "MIT") == [
        "the terms of the data's CDLA-Sharing-1.0 are not known here"
    ], "whether a model is a result of data or data itself is not decided here"


def test_a_licence_is_spelt_as_by_spdx() -> None:
    assert [licences.spelt(name) for name in ("apache-2.0", "agpl-3.0", "Llama3.1", " Mine ")] == [
        "Apache-2.0", "AGPL-3.0-only", "llama3.1", "Mine",
    ]  # fmt: skip
