"""Preflight tells where dvc.yaml, the keys and the locked packages do not fit the code."""

from pathlib import Path

import pytest

from tests.test_preflight import copied, run


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
