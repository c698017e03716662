"""A commit is a record of how a file was made, or it is said where the chain breaks."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from modelmake import artifacts, identity
from modelmake.releasing import checks, contents, provenance
from modelmake.running import run_log
from tests.modelmake.releasing.conftest import Clone, Team


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def stage(deps: dict[str, str], outs: dict[str, str], params: Any = None) -> dict[str, Any]:
    entry = {"cmd": "python it.py", "deps": [record(*dep) for dep in deps.items()]}
    if params:
        entry["params"] = {"params.yaml": params}
    return entry | {"outs": [record(*out) for out in outs.items()]}


def record(path: str, found: str) -> dict[str, str]:
    return {"path": path, "hash": "md5", "md5": found}


def chain() -> dict[str, Any]:
    """rows.txt ─ split ─ parts/ ─ train (parts/train) ─ models/m ─ score ─ scores/a, scores/b ─ compare ─ gate.json."""
    files = {"train": md5("t"), "test": md5("e")}
    scores = {"a.json": md5("a"), "b.json": md5("b")}
    return {
        "split": stage({"rows.txt": md5("a\nb\n")}, {"parts": artifacts.folder_md5(files)}),
        "train": stage({"parts/train": md5("t")}, {"models/m": md5("m")}, {"train": {"rate": 0.1}}),
        "score@a": stage({"models/m": md5("m"), "parts/test": md5("e")}, {"scores/a.json": md5("a")}),
        "score@b": stage({"parts/test": md5("e")}, {"scores/b.json": md5("b")}),
        "compare": stage({"scores": artifacts.folder_md5(scores)}, {"gate.json": md5("g")}),
    }


def cached(root: Path, files: dict[str, str]) -> None:
    """Puts the list of a folder into the cache."""
    name = artifacts.folder_md5(files)
    path = root / ".dvc/cache/files/md5" / name[:2] / name[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(artifacts.listing(files))


def problems(clone: Clone, stages: dict[str, Any], *paths: str) -> list[str]:
    clone.lock(stages)
    commit = clone.commit(push=False)
    locked = contents.locked(checks.reader(clone.root, commit))
    return provenance.problems(clone.root, commit, "", locked, [*paths] or ["models/m", "gate.json"])[0]


@pytest.fixture
def clone(team: Team) -> Clone:
    cached(team.ada.root, {"train": md5("t"), "test": md5("e")})
    graph = (team.ada.root / "dvc.yaml").read_text()
    (team.ada.root / "dvc.yaml").write_text(graph.replace("[rows.txt]", "[parts/train]").replace("train.py", "it.py"))
    return team.ada


def test_a_whole_chain_is_a_record(clone: Clone) -> None:
    assert problems(clone, chain()) == []


def test_data_of_another_commit_is_none(clone: Clone) -> None:
    (clone.root / "rows.txt").write_text("a\nb\nc\n")

    assert problems(clone, chain()) == [
        "split: read another rows.txt than the commit has: run `dvc repro` and commit dvc.lock"
    ]


def test_a_stage_that_read_what_another_run_wrote_is_none(clone: Clone) -> None:
    stages = chain()
    stages["split"]["outs"][0]["md5"] = artifacts.folder_md5({"train": md5("T"), "test": md5("e")})
    cached(clone.root, {"train": md5("T"), "test": md5("e")})

    assert problems(clone, stages) == [
        "train: read another parts/train than split wrote by this dvc.lock: run `dvc repro`"
    ]  # fmt: skip


def test_gates_of_another_model_prove_nothing(clone: Clone) -> None:
    stages = chain()
    stages["train"]["outs"][0]["md5"] = md5("another")
    assert problems(clone, stages) == [
        "score@a: read another models/m than train wrote by this dvc.lock: run `dvc repro`"
    ]  # fmt: skip

    stages = chain()
    stages["score@b"]["outs"][0]["md5"] = md5("another")
    assert problems(clone, stages) == [
        "compare: read another scores than score@a, score@b wrote by this dvc.lock: run `dvc repro`"
    ]
    assert problems(clone, stages, "models/m") == [], "the gate is no part of this chain"


def test_a_list_that_is_not_here_is_no_reason(clone: Clone) -> None:
    stages = chain()
    stages["split"]["outs"][0]["md5"] = artifacts.folder_md5({"elsewhere": md5("t")})
    assert problems(clone, stages) == []


def test_other_parameters_are_none(clone: Clone) -> None:
    (clone.root / "params.yaml").write_text("card: {model: m}\ntrain: {rate: 0.2}\n")

    (reason,) = problems(clone, chain())
    assert reason == "train: built with another params.yaml: train than the commit has: run `dvc repro`"


def test_another_command_or_input_in_dvc_yaml_is_none(clone: Clone) -> None:
    graph = (clone.root / "dvc.yaml").read_text()
    (clone.root / "dvc.yaml").write_text(
        graph.replace("[parts/train]", "[parts/train, more.txt]").replace("it.py", "that.py")
    )

    assert problems(clone, chain()) == [
        "train: dvc.yaml has another command since: run `dvc repro`",
        "train: dvc.yaml names more.txt, which dvc.lock does not record: run `dvc repro`",
    ]


def test_data_that_nobody_has_is_none_and_data_of_dvc_is(clone: Clone) -> None:
    clone.git("rm", "-q", "--cached", "rows.txt")
    (clone.root / ".gitignore").write_text("/models\n/rows.txt\n")
    assert problems(clone, chain()) == [
        "split: read rows.txt, which neither git nor this dvc.lock has: `git add` or `dvc add` it"
    ]
    tracked = "outs:\n- md5: {}\n  hash: md5\n  path: rows.txt\n"
    (clone.root / "rows.txt.dvc").write_text(tracked.format(md5("a\nb\n")))
    assert problems(clone, chain()) == []
    (clone.root / "rows.txt.dvc").write_text(tracked.format(md5("c")))
    assert problems(clone, chain()) == [
        "split: read another rows.txt than rows.txt.dvc of the commit names: run `dvc repro`"
    ]  # fmt: skip


def test_code_that_never_built_the_file_is_none(clone: Clone) -> None:
    """The keys in git are those of the code that was run; the code beside them may be newer."""
    code = {"train.py": "rate\n", "read/rows.py": "rows\n"}
    for name, text in [("keys/train.json", "{}"), *((f"stages/{name}", text) for name, text in code.items())]:
        (clone.root / name).parent.mkdir(parents=True, exist_ok=True)
        (clone.root / name).write_text(text)
    stages = chain()
    stages["train"]["deps"].append(record("keys/train.json", md5("{}")))
    folder = artifacts.folder_md5({name: md5(text) for name, text in code.items()})
    stages["preflight"] = stage({"stages": folder}, {"keys": artifacts.folder_md5({"train.json": md5("{}")})})
    assert problems(clone, stages) == []

    (clone.root / "stages/read/rows.py").write_text("other rows\n")
    assert problems(clone, stages) == [
        "preflight: read another stages than the commit has: run `dvc repro` and commit dvc.lock"
    ]


def test_what_was_only_accepted_is_none(clone: Clone) -> None:
    stages = chain()
    run_log.append(clone.root, {
        "stage": "train", "outcome": "done", "started": "2026-01-01 10:00", "seconds": 5.0,
        "identity": identity.of_lock(stages["train"]), "outs": {"models/m": md5("what the run made")},
    })  # fmt: skip

    (reason,) = problems(clone, stages)
    assert reason.startswith(
        "train: accepted, not rebuilt: the run of 2026-01-01 10:00 had these inputs and made another"
    )
    assert "want a run: `dvc repro -f -s train`" in reason


def test_a_stage_that_the_graph_has_no_longer_is_no_maker(clone: Clone) -> None:
    stages = chain() | {"old": stage({"gone.txt": md5("x")}, {"models/m": md5("old")})}
    assert any(problem.startswith("old: read gone.txt") for problem in problems(clone, stages))
    (clone.root / "keys").mkdir()
    (clone.root / "keys/graph.json").write_text(json.dumps(dict.fromkeys(chain())))
    assert problems(clone, stages) == []
