"""The contract with DVC: the paths of artifacts are those that its resolver gives, without a look at the stages."""

from pathlib import Path

import pytest

from modelmake.dvc import internals
from modelmake.errors import UserError

GRAPH = """vars: ["more.yaml:names", {own: x}]
stages:
  train: {foreach: "${nothing}", do: {cmd: no}}
artifacts:
  model: {path: "models/${card.model}", type: model}
  "${names.second}": {path: "${own}/b"}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    (tmp_path / "params.yaml").write_text("card: {model: dpo}\n")
    (tmp_path / "more.yaml").write_text("names: {second: other}\n")
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    return tmp_path


def test_templates_are_filled_in_from_parameters_and_vars(root: Path) -> None:
    assert internals.artifact_paths(root) == {"model": "models/dpo", "other": "x/b"}


def test_a_value_that_is_missing_is_told(root: Path) -> None:
    (root / "params.yaml").unlink()
    with pytest.raises(UserError, match=r"Could not find 'card.model'"):
        internals.artifact_paths(root)


def test_a_graph_without_artifacts_has_none(root: Path) -> None:
    (root / "dvc.yaml").write_text("stages: {}\n")
    assert internals.artifact_paths(root) == {}
