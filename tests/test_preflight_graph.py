"""Preflight tells where dvc.yaml, the keys and the locked packages do not fit the code."""

from pathlib import Path

import msgspec
import pytest

from tests.evaluating.lm_eval.made_up_tasks import CHOICES, PARAMS, write
from tests.test_preflight import copied, edit, run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copied(tmp_path)


def test_a_dep_that_dvc_yaml_lacks_is_reported_with_those_that_main_needs(project: Path) -> None:
    text = (project / "dvc.yaml").read_text()
    (project / "dvc.yaml").write_text(text.replace("    - keys/clean.json\n", ""))

    assert run(project) == (
        1,
        "",
        [
            "dvc.yaml: clean: deps ['data/ingested/rows.jsonl', 'recipes/no_tokenizer.json']: "
            "stages.clean.main wants ['data/ingested/rows.jsonl', 'keys/clean.json', 'recipes/no_tokenizer.json']"
        ],
    )


@pytest.mark.parametrize("name", ["graph", "needs"])
def test_a_stage_whose_key_file_would_replace_a_file_beside_the_keys_is_a_problem(project: Path, name: str) -> None:
    text = (project / "dvc.yaml").read_text()
    text = text.replace("  card:\n    cmd", f"  {name}:\n    cmd").replace("keys/card.json", f"keys/{name}.json")
    (project / "dvc.yaml").write_text(text)

    assert run(project) == (1, "", [f"dvc.yaml: {name}: its key keys/{name}.json is taken: want another name"])


def test_an_import_that_is_not_locked_is_a_problem(project: Path) -> None:
    with (project / "stages/reporting/item_files.py").open("a") as file:
        file.write("\n\ndef late():\n    import not_locked\n\n\nif __doc__ is None:\n    late()\n")

    assert run(project) == (
        1,
        "",
        ["stages.reporting.item_files: imports not_locked, which is not in uv.lock: `uv add` it"],
    )


def test_a_task_of_lm_eval_has_a_stage_for_each_model_and_none_where_no_task_is(project: Path) -> None:
    edit(project, lambda values: values["evaluate"].pop("tasks"))
    assert run(project)[::2] == (0, [])
    without = {path.name for path in (project / "keys").iterdir()}
    write(project / "data/lm_eval/colours", CHOICES)
    edit(project, lambda values: values["evaluate"].update(tasks={"colours": msgspec.to_builtins(PARAMS)}))
    assert run(project)[::2] == (0, [])

    keys = {path.name for path in (project / "keys").iterdir()}
    assert keys - without == {f"lm_eval.{model}-colours.json" for model in ("base", "sft", "dpo")}
    key = (project / "keys/lm_eval.base-colours.json").read_text()
    assert "declared_task.py" in key and "scikit-learn" not in key
    assert "stages.evaluating.lm_eval" not in (project / "keys/evaluate.base-chat.json").read_text()
