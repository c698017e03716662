"""Prompts are filled in once, and scores are read from what judges write."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.augmenting.methods import evol_instruct, rank, rewrite, self_instruct
from stages.augmenting.requests import Prompts
from tests.conftest import ROOT

TEMPLATES = ROOT / "stages/augmenting/prompts"


def test_placeholders_inside_a_value_are_not_filled_in(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("{one} and {two} and {three}\n")

    assert Prompts(tmp_path).fill("a.txt", {"one": "{two}", "two": "{"}) == "{two} and { and {three}"


def test_a_missing_prompt_or_placeholder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("{one}")
    with pytest.raises(UserError, match=r"a.txt: has no \{two\}: want it where its text belongs"):
        Prompts(tmp_path).fill("a.txt", {"one": "1", "two": "2"})
    with pytest.raises(UserError, match=r"b.txt: no such file: want the prompt"):
        Prompts(tmp_path).fill("b.txt", {})


def test_every_prompt_of_the_project_is_used_and_has_its_placeholders() -> None:
    placeholders = {
        rewrite.TEMPLATE: ["question"],
        self_instruct.TEMPLATE: ["examples"],
        rank.TEMPLATE: ["conversation", "answer"],
        **{name: ["question"] for name in evol_instruct.TEMPLATES},
    }
    prompts = Prompts(TEMPLATES)

    assert {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.txt")} == placeholders.keys()
    for name, values in placeholders.items():
        text = prompts.fill(name, {value: f"<{value}>" for value in values})
        assert "{" not in text and all(f"<{value}>" in text for value in values)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Right and short.\nScore: 9", 9),
        ("**Score:** 10", 10),
        ("score = 0", 0),
        ("Score: 3. No, on second thoughts: Score: 7", 7),
        ("Score: 8/10", 8),
        ("Score: 100", None),
        ("It is fine", None),
        ("7", None),
    ],
)
def test_the_last_score_in_the_text_counts(text: str, score: int | None) -> None:
    assert rank.score(text) == score
