"""README, docs, CONTRIBUTING and the repository agree."""

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
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MAX_LINES = 130  # a README that is read to its end
LINK = re.compile(r"\]\(([^)#]*)(?:#([^)]*))?\)")
PATH = re.compile(r"\b(?:stages|modelmake|tests|benchmarks|recipes|docs|envs)/[\w./-]*\.(?:py|md|yaml|txt|json)\b")


def test_the_readme_is_short() -> None:
    lines = README.splitlines()

    assert len(lines) <= MAX_LINES
    assert [line for line in lines if len(line) > 120] == []


def test_the_readme_links_to_every_page() -> None:
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= {file for file, _ in LINK.findall(README)}


def test_the_tree_of_the_readme_names_every_room_and_files_that_exist() -> None:
    rooms = {path.parent.name: path.parent for name in ("stages", "modelmake") for path in (ROOT / name).glob("*/*.py")}
    lines = dict(re.findall(r"^  (\w+)/ (.*)", README.partition("## Where things are")[2], re.MULTILINE))

    assert lines.keys() == rooms.keys()
    for room, line in lines.items():
        assert set(re.findall(r"\w+\.py", line)) <= {path.name for path in rooms[room].rglob("*.py")}, room


def test_every_stage_has_its_row() -> None:
    graph = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text("utf-8"))
    rows = re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs/stages.md").read_text("utf-8"), re.MULTILINE)

    assert rows == list(graph["stages"])


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "\nuv run pytest " in README
    assert "\nuv run pytest\n" in (ROOT / ".ci/run").read_text("utf-8")


def test_the_figures_of_the_default_are_those_of_the_committed_metrics() -> None:
    metrics = json.loads((ROOT / "reports/metrics.json").read_text("utf-8"))
    table = [[cell.strip() for cell in line.split("|")] for line in README.splitlines() if line.startswith("| ")]
    columns = next(row for row in table if row[1] == "recipe")
    rows = [row for row in table if row[1] == "default"]

    assert rows
    for row in rows:
        metric = row[columns.index("metric")].split("`")[1]
        shown = {model: row[columns.index(model)] for model in metrics}
        assert shown == {model: f"{values[metric]:.3f}" for model, values in metrics.items()}, metric


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    for file, anchor in LINK.findall(page.read_text("utf-8")):
        if file.startswith("https://"):
            continue
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), file
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), f"{file}#{anchor}"


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    """Files that the page's own commands write, or that it proposes to write, excepted."""
    text = page.read_text("utf-8")
    written = set(re.findall(r">>? (\S+)", text)) | {"tests/test_lengths.py"}

    assert [path for path in PATH.findall(text) if not (ROOT / path).exists() and path not in written] == []


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
    """By dvc's own resolver, and by preflight, which compares every stage's flags and keys with its code."""
    for name in ("modelmake", "stages", "envs", "data", "recipes"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("dvc.yaml", "uv.lock", ".python-version", ".dvc/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    values = init.values(recipe, ROOT / "recipes/default.yaml")
    values["ingest"]["raw"] = "data/raw"  # a recipe's own data and teacher are fetched by its first lines
    for step in values["train"].values():
        if step["second_model"] == "data/teacher":
            step["second_model"] = "teacher"
            (tmp_path / "teacher").mkdir()
            (tmp_path / "teacher/config.json").write_text("{}")
    (tmp_path / "params.yaml").write_text(json.dumps(values))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = [sys.executable, "-m", "stages.preflight", "--keys", "keys"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    steps, quants = values["train"], values["quantize"]
    assert {path.stem for path in (tmp_path / "keys").glob("[!.]*.json")} >= {
        *(f"{stage}.{step}" for stage in ("train", "merge") for step in steps),
        *(f"{stage}.{quant}" for stage in ("quantize", "answer_quantized", "parity") for quant in quants),
        *(
            f"{stage}.{model}-{suite}"
            for stage in ("answer", "evaluate")
            for model in ("base", *steps)
            for suite in values["suites"]
        ),
    }


def test_pins_of_recipes_are_commits() -> None:
    for path in (ROOT / "recipes/pins").glob("*.json"):
        pin = json.loads(path.read_text())
        assert pin.keys() == {"repo", "revision"}
        assert re.fullmatch("[0-9a-f]{40}", pin["revision"]), path.name
