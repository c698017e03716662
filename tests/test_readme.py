"""README, docs and the repository say the same."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stages.commands import init

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
    declared += [entry for extra in project["project"]["optional-dependencies"].values() for entry in extra]
    names = {re.match(r"[A-Za-z0-9_.-]+", entry)[0] for entry in declared}

    assert set(
        re.findall(r"^\| ([a-z0-9_.-]+) \|", (ROOT / "docs/dependencies.md").read_text("utf-8"), re.MULTILINE)
    ) == (names | {"package"})


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_whole_graph_of_every_recipe_resolves(tmp_path: Path, recipe: Path) -> None:
    """By dvc's own resolver, and by preflight, which holds every stage's flags and keys against its code."""
    for name in ("modelmake", "stages", "envs", "data", "recipes"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("dvc.yaml", "uv.lock", ".python-version", ".dvc/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    values = init.values(recipe, ROOT / "recipes/default.yaml")
    values["ingest"]["raw"] = "data/raw"  # a recipe's own data is fetched by its first lines
    (tmp_path / "params.yaml").write_text(json.dumps(values))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = [sys.executable, "-m", "stages.preflight", "--keys", "keys"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    steps, quants = values["train"], values["quantize"]
    assert {path.stem for path in (tmp_path / "keys").glob("[!.]*.json")} >= {
        *(f"{stage}.{step}" for stage in ("train", "merge") for step in steps),
        *(f"{stage}.{quant}" for stage in ("quantize", "parity") for quant in quants),
        *(f"evaluate.{model}-{suite}" for model in ("base", *steps) for suite in values["suites"]),
    }


def test_pins_of_recipes_are_commits() -> None:
    for pin in (ROOT / "recipes/pins").glob("*.json"):
        found = json.loads(pin.read_text())
        assert found.keys() == {"repo", "revision"}
        assert re.fullmatch("[0-9a-f]{40}", found["revision"]), pin.name
