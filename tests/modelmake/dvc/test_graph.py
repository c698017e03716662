"""The contract with DVC: its resolver gives the stages that dvc.yaml spells out by foreach, matrix and templates."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from modelmake.dvc import graph
from modelmake.dvc.graph import Entry, Stage
from modelmake.errors import UserError

DVC_YAML = """
stages:
  base:
    cmd: python -m stages.base
      --source ${base.source} --base models/base
    meta: &small
      cpus: ${machine.threads}
      note: free
    deps:
    - ${base.source}
    params:
    - base
    outs:
    - models/base
  score:
    matrix:
      model: ${score.models}
      suite: [chat]
    cmd: python -m stages.score --weights models/${item.model} --scores scores/${item.model}-${item.suite}.json
    deps:
    - keys/score.${item.model}-${item.suite}.json
    - models/${item.model}
    params:
    - suites.${item.suite}
    metrics:
    - scores/${item.model}-${item.suite}.json:
        cache: false
  train:
    foreach: ${train}
    do:
      cmd: python -m stages.train --step ${key} --start models/${item.from} --trained models/${key}
      deps:
      - keys/train.${key}.json
      - models/${item.from}
      params:
      - train.${key}
      - machine
      outs:
      - models/${key}
      meta: *small
"""
PARAMS = """
machine: {device: cpu, threads: 2}
base: {source: raw.jsonl}
train:
  sft: {from: base}
  dpo: {from: sft}
suites: {chat: {tokens: 4}}
score: {models: [base, dpo]}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stage]:
    root = tmp_path_factory.mktemp("project")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=root, check=True)
    (root / "dvc.yaml").write_text(DVC_YAML)
    (root / "params.yaml").write_text(PARAMS)
    (root / "raw.jsonl").write_text("{}\n")
    return graph.stages(root)


def test_foreach_and_matrix_become_one_stage_an_item(found: dict[str, Stage]) -> None:
    assert set(found) == {"base", "train@sft", "train@dpo", "score@base-chat", "score@dpo-chat"}


def test_the_described_graph_is_plain_and_sorted(found: dict[str, Stage]) -> None:
    described = graph.described(found)

    assert list(described) == ["base", "score@base-chat", "score@dpo-chat", "train@dpo", "train@sft"]
    assert described["train@dpo"] == {
        "module": "stages.train",
        "deps": ["keys/train.dpo.json", "models/sft"], "outs": ["models/dpo"], "params": ["machine", "train.dpo"],
    }  # fmt: skip


def test_stages_stand_after_those_that_they_need(found: dict[str, Stage]) -> None:
    order = list(found)

    assert order.index("base") < order.index("train@sft") < order.index("train@dpo") < order.index("score@dpo-chat")


def test_templates_are_filled_in_everywhere(found: dict[str, Stage]) -> None:
    assert found["train@dpo"] == Stage(
        name="train@dpo",
        cmd="python -m stages.train --step dpo --start models/sft --trained models/dpo",
        deps=("keys/train.dpo.json", "models/sft"),
        params=("train.dpo", "machine"),
        outs=("models/dpo",),
        needs=("train@sft",),
        meta={"cpus": 2, "note": "free"},
    )
    assert found["score@base-chat"] == Stage(
        name="score@base-chat",
        cmd="python -m stages.score --weights models/base --scores scores/base-chat.json",
        deps=("keys/score.base-chat.json", "models/base"),
        params=("suites.chat",),
        outs=("scores/base-chat.json",),
        needs=("base",),
    )


def test_a_stage_tells_its_key_file_module_and_flags(found: dict[str, Stage]) -> None:
    assert found["score@base-chat"].key_file == "keys/score.base-chat.json"
    assert found["base"].key_file == "keys/base.json"
    assert found["train@sft"].module == "stages.train"
    assert found["base"].flags == {"source": "raw.jsonl", "base": "models/base"}


@pytest.mark.parametrize("words", ["--rows", "rows.jsonl --out x", "--rows a b"])
def test_a_command_whose_flags_have_no_value_each_is_told_in_a_line(words: str) -> None:
    command = f"python -m stages.clean {words}"

    with pytest.raises(UserError) as error:
        _ = Stage("clean", command, (), (), ()).flags

    assert str(error.value) == f"dvc.yaml: clean: cmd {command!r}: want `python -m MODULE --FLAG VALUE …`"


def test_a_command_that_runs_no_module_has_none() -> None:
    assert Stage("copy", "cp a b", (), (), ()).module == ""


def test_data_under_dvc_add_is_a_node_and_no_stage(copied: Path) -> None:
    assert {name: node.needs for name, node in graph.nodes(copied).items()} == {"raw.dvc": (), "copy": ("raw.dvc",)}
    assert list(graph.stages(copied)) == ["copy"]


def test_stale_is_what_dvc_status_tells(copied: Path) -> None:
    assert graph.stale(copied) == {}

    (copied / "raw").write_text("2\n")

    assert graph.stale(copied) == {
        "raw.dvc": [{"changed outs": {"raw": "modified"}}],
        "copy": [{"changed deps": {"raw": "modified"}}],
    }
    assert list(graph.stale(copied, "copy")) == ["copy"]


def test_recorded_is_what_the_lock_and_the_dvc_files_say(copied: Path) -> None:
    found = graph.recorded(copied)
    raw, out = hashlib.md5(b"1\n").hexdigest(), hashlib.md5(b"1").hexdigest()

    assert list(found) == ["raw.dvc", "copy"]
    assert found["raw.dvc"].outs == (Entry("raw", raw, 2, True, True, None),)
    copy = found["copy"]
    assert (copy.cmd, copy.changed) == ("head -c 1 raw > out", ())
    assert [(e.path, e.md5, e.size) for e in copy.deps + copy.outs] == [("raw", raw, 2), ("out", out, 1)]

    (copied / "raw").write_text("2\n")
    assert graph.recorded(copied) == found, "no file is looked at"
    (copied / "dvc.yaml").write_text((copied / "dvc.yaml").read_text().replace("-c 1", "-c 2"))
    edited = graph.recorded(copied)["copy"]
    assert edited.changed == ("its command",) and edited.digest != copy.digest


def test_of_an_input_that_the_lock_does_not_know_nothing_is_recorded(copied: Path) -> None:
    (copied / "more").touch()
    text = (copied / "dvc.yaml").read_text()
    (copied / "dvc.yaml").write_text(
        text.replace("deps: [raw]", "deps: [raw, more]").replace("- raw\n", "- raw\n    - more\n")
    )

    assert [(e.path, e.md5 != "") for e in graph.recorded(copied)["copy"].deps] == [("raw", True), ("more", False)]


def test_paths_below_other_folders_are_told_from_the_root(copied: Path) -> None:
    (copied / "data").mkdir()
    (copied / "data/more").write_text("1\n")
    subprocess.run([sys.executable, "-m", "dvc", "add", "-q", "data/more"], cwd=copied, check=True)

    assert graph.recorded(copied)["data/more.dvc"].outs[0].path == "data/more"


def test_files_are_those_that_dvc_would_hash(copied: Path) -> None:
    (copied / ".dvcignore").write_text("*.pyc\n")
    for name in ("folder/a", "folder/b/c", "folder/b/d.pyc"):
        (copied / name).parent.mkdir(parents=True, exist_ok=True)
        (copied / name).touch()

    assert graph.files(copied, ["folder", "folder/a", "nothing"]) == {
        "folder": ["a", "b/c"], "folder/a": [""], "nothing": None,
    }  # fmt: skip


def test_stale_waits_for_another_dvc_to_let_go(copied: Path) -> None:
    script = (
        "import time; from dvc.repo import Repo; r = Repo(); r.lock.lock(); print('held', flush=True); time.sleep(5)"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=copied, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"  # longer than the 3 s that DVC waits by itself
        assert graph.stale(copied) == {}
        assert holder.wait() == 0
