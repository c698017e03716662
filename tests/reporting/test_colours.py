"""Colours of the pages can be told apart."""

import re

import pytest

from tests.conftest import ROOT


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_have_the_contrast_of_wcag_aa(scheme: int) -> None:
    style = (ROOT / "stages/reporting/templates/page/page.css").read_text()
    colours = {n: pair[scheme] for n, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)}

    def contrast(name: str, background: str) -> float:
        dark, light = sorted((luminance(colours[name]), luminance(colours[background])))
        return (light + 0.05) / (dark + 0.05)

    for text in ("ink", "ink-2", "accent", "good", "bad", "open"):
        assert min(contrast(text, background) for background in ("paper", "soft")) >= 4.5, text
    assert contrast("ink", "mark") >= 4.5
    for drawn in ("first", "second", "third", "fourth", "fifth", "bar", "bad"):
        assert contrast(drawn, "paper") >= 3, drawn
