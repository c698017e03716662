"""README, docs and the repository say the same."""

import json
import re
import tomllib
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_every_stage_has_its_row() -> None:
    graph = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text("utf-8"))

    assert re.findall(r"^\| `([a-z]+)` \|", README, re.MULTILINE) == list(graph["stages"])


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "\nuv run pytest " in README
    assert "\nuv run pytest\n" in (ROOT / ".ci/run").read_text("utf-8")


def test_the_figures_of_the_default_are_those_of_the_committed_metrics() -> None:
    metrics = json.loads((ROOT / "reports/metrics.json").read_text("utf-8"))

    for model, found in metrics.items():
        row = next(line for line in README.splitlines() if line.startswith(f"| default | {model} |"))
        cells = [cell.strip() for cell in row.split("|")[3:-1]]
        assert cells == [f"{found[name]:.3f}" for name in ("exact_match", "label_accuracy", "compact")], model


def test_every_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    declared = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.match(r"[A-Za-z0-9_.-]+", entry)[0] for entry in declared}

    assert set(
        re.findall(r"^\| ([a-z0-9_.-]+) \|", (ROOT / "docs/dependencies.md").read_text("utf-8"), re.MULTILINE)
    ) == (names | {"package"})


def test_recipes_are_complete() -> None:
    from modelmake import params
    from stages import preflight

    for recipe in sorted((ROOT / "recipes").glob("*.yaml")):
        chapters, problems = preflight.decode(params.load(recipe))
        missing_data = [line for line in preflight.cross(chapters) if "ingest.raw" not in line]
        assert problems == missing_data == [], recipe.name
