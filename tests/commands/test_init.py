"""`modelmake init` composes params.yaml from recipes/default.yaml and a recipe, and loses no edit."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from modelmake.errors import UserError
from stages.commands import init
from tests.conftest import ROOT

DEFAULT = ROOT / "recipes/default.yaml"


def composed(folder: Path, text: str) -> dict[str, Any]:
    """The values of the params.yaml that a recipe of this text makes."""
    recipe = folder / "mine.yaml"
    recipe.write_text(text, "utf-8")
    (folder / "params.yaml").write_text(init.compose(recipe, DEFAULT), "utf-8")
    return params.load(folder / "params.yaml")


def default() -> dict[str, Any]:
    return params.load(DEFAULT)


def refused(folder: Path, text: str) -> list[str]:
    with pytest.raises(UserError) as error:
        composed(folder, text)
    return str(error.value).replace(f"{folder}/", "").split("\n")


# What a recipe means


def test_a_field_of_a_section_replaces_the_defaults_and_the_others_stay(tmp_path: Path) -> None:
    wanted = default()
    wanted["clean"]["max_chars"] = 9
    wanted["clean"]["turns"]["roles"] = "any"

    assert composed(tmp_path, "clean: {max_chars: 9, turns: {roles: any}}") == wanted


def test_a_map_of_items_has_those_that_the_recipe_names_each_over_the_defaults(tmp_path: Path) -> None:
    wanted = default()
    del wanted["train"]["dpo"]
    wanted["train"]["sft"]["seed"] = 7

    assert composed(tmp_path, "train: {sft: {seed: 7}}") == wanted


def test_a_map_within_a_section_has_those_that_the_recipe_names(tmp_path: Path) -> None:
    gates = default()["compare"]["gates"]
    new = {"model": "dpo", "metric": "schema", "against": None, "bound": 0.5, "where": {"urgency": "low"}}

    found = composed(tmp_path, f"compare: {{gates: {{new: {new | {'against': 'base'}}, sft_answers: {{}}}}}}")

    assert found["compare"]["gates"] == {"new": new | {"against": "base"}, "sft_answers": gates["sft_answers"]}
    assert list(found["compare"]["gates"]) == ["new", "sft_answers"], "in the recipe's order"
    assert found["compare"]["min_rows"] == default()["compare"]["min_rows"]


def test_a_map_that_the_recipe_does_not_name_is_the_defaults(tmp_path: Path) -> None:
    assert composed(tmp_path, "report: {title: Mine}")["train"] == default()["train"]


def test_an_item_that_the_default_lacks_is_whole(tmp_path: Path) -> None:
    text = "train: {sft: {}, dpo: {}, again: {method: sft, from: sft, rows: chat}}"

    assert "mine.yaml: train.again.seed: missing; give it a value" in refused(tmp_path, text)


def test_an_item_of_another_tag_takes_nothing_of_the_defaults(tmp_path: Path) -> None:
    """A step of another method, a quant of another tool: what they share by name may mean something else."""
    told = refused(tmp_path, "train: {sft: {}, dpo: {method: sft, rows: chat, assistant_only_loss: true}}")

    assert "mine.yaml: train.dpo.learning_rate: missing; give it a value" in told


def test_a_section_of_another_kind_is_the_recipes_alone(tmp_path: Path) -> None:
    base = {"kind": "folder", "source": "model", "chat_template": None}

    assert composed(tmp_path, "base: {kind: folder, source: model, chat_template: null}")["base"] == base


def test_the_same_tag_said_again_changes_nothing(tmp_path: Path) -> None:
    assert composed(tmp_path, "base: {kind: tiny, seed: 7}")["base"] == default()["base"] | {"seed": 7}


def test_lists_and_plain_maps_replace_the_defaults(tmp_path: Path) -> None:
    found = composed(tmp_path, "suites: {chat: {slots: [product], answer_schema: {type: string}}}")

    assert found["suites"]["chat"]["slots"] == ["product"]
    assert found["suites"]["chat"]["answer_schema"] == {"type": "string"}


def test_null_takes_a_section_away_and_a_section_takes_the_place_of_null(tmp_path: Path) -> None:
    found = composed(tmp_path, "clean: {labels: null}\ningest: {documents: {max_chars: 9, headings: true}}")

    assert found["clean"]["labels"] is None
    assert found["ingest"]["documents"] == {"max_chars": 9, "headings": True}


def test_an_alias_is_a_copy(tmp_path: Path) -> None:
    found = composed(tmp_path, "dedup: {near: {bands: 9}}")

    assert (found["dedup"]["near"]["bands"], found["split"]["near"]["bands"]) == (
        9,
        default()["split"]["near"]["bands"],
    )


def test_numbers_are_read_as_dvc_reads_them(tmp_path: Path) -> None:
    assert composed(tmp_path, "base: {learning_rate: 1e-4}")["base"]["learning_rate"] == 1e-4


def test_the_defaults_comments_and_lines_stay_around_what_changes(tmp_path: Path) -> None:
    composed(tmp_path, "ingest:\n  raw: elsewhere # mine\n")

    text = DEFAULT.read_text("utf-8")
    assert (tmp_path / "params.yaml").read_text("utf-8") == text.replace("raw: data/raw\n", "raw: elsewhere # mine\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("trian: {}", "mine.yaml: trian: unknown section; want one of machine, resources, "),
        (
            "train: {sft: {learning_rat: 1}}",
            "mine.yaml: train.sft.learning_rat: unknown key; did you mean learning_rate?",
        ),
        ("train: {sft: {seed: x}}", "mine.yaml: train.sft.seed = 'x': want a whole number, got text"),
        ("train: null", "mine.yaml: train = None: want a section, got nothing"),
        ("train: {sft: null}", "mine.yaml: train.sft = None: want a section of its own, got nothing"),
        ("base: 7", "mine.yaml: base = 7: want a section of its own, got a whole number"),
        ("compare: {gates: {a b: {}}}", "mine.yaml: compare.gates: name 'a b': want only letters, digits and _ "),
        ("a: [", "mine.yaml:1: "),
        ("# nothing", "mine.yaml: found nothing, want sections such as `train:`"),
    ],
)
def test_a_recipe_that_params_yaml_could_not_hold_is_refused_in_its_own_name(
    tmp_path: Path, text: str, told: str
) -> None:
    first = refused(tmp_path, text)[0]

    assert first.startswith(told)
    assert not (tmp_path / "params.yaml").exists()


def test_a_wrong_default_is_told_in_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text(DEFAULT.read_text("utf-8").replace("report:", "reprot:"), "utf-8")

    with pytest.raises(UserError, match=r"default\.yaml: reprot: unknown section"):
        init.compose(ROOT / "recipes/tiny.yaml", tmp_path / "default.yaml")


# The command


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the command needs of the project, committed."""
    for name in ("recipes", "dvc.yaml", "params.yaml"):
        copy_of = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy_of(ROOT / name, tmp_path / name)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments], cwd=folder, check=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "t")


def run(folder: Path, *arguments: str, here: str = ".") -> tuple[int, str]:
    command = [sys.executable, "-m", "stages.commands.cli", "init", *arguments]
    done = subprocess.run(
        command, cwd=folder / here, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    return done.returncode, done.stdout + done.stderr


def test_init_writes_params_yaml_and_says_so_in_one_line(clone: Path) -> None:
    said = "params.yaml: written from recipes/tiny.yaml and recipes/default.yaml\n"

    assert run(clone, "--recipe", "tiny") == (0, said)
    assert (clone / "params.yaml").read_text("utf-8") == init.compose(ROOT / "recipes/tiny.yaml", DEFAULT)


def test_init_takes_the_path_of_a_recipe_from_where_it_is_called(clone: Path) -> None:
    (clone / "below").mkdir()
    (clone / "below/mine.yaml").write_text("report: {title: Mine}")

    code, said = run(clone, "--recipe", "mine.yaml", here="below")

    assert (code, said) == (0, "params.yaml: written from below/mine.yaml and recipes/default.yaml\n")
    assert params.load(clone / "params.yaml")["report"]["title"] == "Mine"


def test_the_default_comes_back_byte_for_byte(clone: Path) -> None:
    (clone / "params.yaml").unlink()

    assert run(clone, "--recipe", "default") == (0, "params.yaml: written from recipes/default.yaml\n")
    assert (clone / "params.yaml").read_bytes() == DEFAULT.read_bytes()


def test_a_recipe_that_is_not_there_is_told_with_those_that_are(clone: Path) -> None:
    code, said = run(clone, "--recipe", "big")

    there = ", ".join(sorted(file.stem for file in DEFAULT.parent.glob("*.yaml")))
    assert code == 1
    assert said == (
        f"recipes/big.yaml: no such file: want one of {there}, or the path of a YAML file; name another recipe\n"
    )


def test_edits_that_are_not_committed_are_not_overwritten(clone: Path) -> None:
    edited = DEFAULT.read_text("utf-8") + "# a note\n"
    (clone / "params.yaml").write_text(edited, "utf-8")

    code, said = run(clone, "--recipe", "tiny")

    assert code == 1
    assert said == (
        "params.yaml: edits that are not committed: recipes/tiny.yaml would overwrite them; commit "
        "them, or add --force\n"
    )
    assert (clone / "params.yaml").read_text("utf-8") == edited


def test_edits_are_overwritten_with_force(clone: Path) -> None:
    (clone / "params.yaml").write_text("mine: 1\n")

    assert run(clone, "--recipe", "tiny", "--force")[0] == 0
    assert (clone / "params.yaml").read_text("utf-8") == init.compose(ROOT / "recipes/tiny.yaml", DEFAULT)


def test_edits_that_are_committed_are_overwritten(clone: Path) -> None:
    (clone / "params.yaml").write_text("mine: 1\n")
    commit(clone)

    assert run(clone, "--recipe", "tiny")[0] == 0


def test_what_another_recipe_made_is_overwritten(clone: Path) -> None:
    (clone / "recipes/broken.yaml").write_text("trian: {}\n")  # makes nothing, and hides nothing

    assert [run(clone, "--recipe", name)[0] for name in ("gsm8k", "tiny")] == [0, 0]


def test_params_yaml_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("old\n")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        init.replace(file, "new\n")

    assert file.read_text() == "old\n"
    monkeypatch.undo()
    init.replace(file, "new\n")
    assert file.read_text() == "new\n" and list(tmp_path.iterdir()) == [file]
