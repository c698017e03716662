"""The recipes of this repository: each composes to right params, and holds nothing that the default says already."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from modelmake.errors import UserError
from stages import preflight
from stages.commands import init
from stages.commands.yaml_text import same
from tests.conftest import ROOT

DEFAULT = ROOT / "recipes/default.yaml"
RECIPES = sorted(path for path in (ROOT / "recipes").glob("*.yaml") if path != DEFAULT)
every_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)


def test_the_default_is_this_repositorys_params_yaml() -> None:
    assert DEFAULT.read_bytes() == (ROOT / "params.yaml").read_bytes()
    assert init.compose(DEFAULT, DEFAULT) == DEFAULT.read_text("utf-8")


@every_recipe
def test_a_recipe_makes_params_that_preflight_takes(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    chapters, problems = preflight.decode(init.values(recipe, DEFAULT))

    needs_files = ("ingest.raw", "second_model = 'data/")  # not in this repository
    others = [
        problem
        for problem in preflight.project_problems(chapters)
        if not any(where in problem for where in needs_files)
    ]
    assert problems == others == []


@every_recipe
def test_the_text_of_a_recipe_has_the_merged_values_and_the_defaults_comments(tmp_path: Path, recipe: Path) -> None:
    text = init.compose(recipe, DEFAULT)
    (tmp_path / "params.yaml").write_text(text, "utf-8")

    assert same(params.load(tmp_path / "params.yaml"), init.values(recipe, DEFAULT))
    for line in ("documents: null # none here", "sources: # of raw files", "parity: # one entry for each of quantize"):
        assert line in text or recipe.stem == "pgdocs", line
    assert "near: *near" in text


@every_recipe
def test_a_new_field_and_a_new_section_of_the_default_reach_every_recipe(
    tmp_path: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Report(preflight.Report, frozen=True):
        pages: int

    class New(params.Params, frozen=True):
        value: str

    chapters = {**preflight.CHAPTERS, "report": Report, "new": New}
    monkeypatch.setattr(preflight, "CHAPTERS", chapters)
    monkeypatch.setattr(init, "CHAPTERS", chapters)
    grown = tmp_path / "default.yaml"
    grown.write_text(f"{DEFAULT.read_text('utf-8')}  pages: 3\n\nnew:\n  value: x # said once\n", "utf-8")

    text = init.compose(recipe, grown)

    assert text.endswith("  pages: 3\n\nnew:\n  value: x # said once\n")


def leaves(value: Any, where: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where each value stands that is no section with something in it."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, (*where, name))
    else:
        yield where


@every_recipe
def test_no_entry_of_a_recipe_is_needless(tmp_path: Path, recipe: Path) -> None:
    """Without any one of them, other params come out, or none."""
    changes = params.load(recipe)
    below = changes.pop(init.ABOVE, None)
    complete = init.values(recipe.with_name(f"{below}.yaml") if below else DEFAULT, DEFAULT)
    whole = init.merge(changes, complete)
    needless = []
    for *above, name in leaves(changes):
        fewer = copy.deepcopy(changes)
        section = fewer
        for part in above:
            section = section[part]
        del section[name]
        found = init.merge(fewer, complete)
        if same(found, whole):
            needless.append(".".join([*above, name]))

    assert needless == []


def test_a_recipe_above_another_holds_what_differs_from_that_one(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_bytes(DEFAULT.read_bytes())
    (tmp_path / "low.yaml").write_text("report: {title: Low, examples: 3}\n")
    high = tmp_path / "high.yaml"
    high.write_text("recipe: low\nreport: {title: High} # its own\n")

    text = init.compose(high, tmp_path / "default.yaml")

    assert init.values(high, tmp_path / "default.yaml")["report"] == {"title": "High", "examples": 3}
    assert "title: High" in text and "examples: 3" in text and "recipe:" not in text


@pytest.mark.parametrize(("named", "wanted"), [("gone", "the name of a recipe beside it"), ("high", "that does not")])
def test_a_recipe_above_none_or_above_one_that_is_above_another_is_refused(
    tmp_path: Path, named: str, wanted: str
) -> None:
    high = tmp_path / "high.yaml"
    high.write_text(f"recipe: {named}\n")

    with pytest.raises(UserError, match=wanted):
        init.values(high, DEFAULT)
