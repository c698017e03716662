"""Proofs add up over machines, and hold only for what dvc.lock recorded when they were made."""

import json
from pathlib import Path
from typing import Any

import pytest

from modelmake.dvc.graph import Entry, Recorded
from modelmake.running import platform, state_dir
from modelmake.verifying import proofs
from modelmake.verifying.proofs import NEAR, NOTHING, OTHER, SAME, Proof

ELSEWHERE = {"platform": "macosx-15-arm64", "cpu": "M4", "python": "3.11.9", "packages": "as locked", "device": "cpu"}
HERE = platform.read({})


def node(digest: str) -> Recorded:
    return Recorded("python x", (Entry("out", "0" * 32, 1, True, True, None),), (), (), digest)


def proof(outcome: str, on: dict[str, str], **fields: Any) -> Proof:
    made = {"stage": "x", "record": "a", "commit": "c", "date": "2026-11-22T00:00:00Z", "original": None}
    return Proof(**(made | {"stack": on, "outcome": {"out": outcome}} | fields))


def level(root: Path, *results: Proof) -> str:
    proofs.save(root, list(results), {"x": node("a")})
    return proofs.levels(root, {"x": node("a")})["out"].level


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([proof(SAME, HERE)], "exact on this platform"),
        ([proof(SAME, ELSEWHERE)], "exact on another platform"),
        ([proof(SAME, HERE), proof(SAME, ELSEWHERE)], "exact"),
        ([proof(SAME, HERE, original=ELSEWHERE)], "exact"),
        ([proof(SAME, HERE, original=HERE)], "exact on this platform"),
        ([proof(SAME, HERE), proof(SAME, HERE)], "exact on this platform"),
        ([proof(SAME, HERE), proof(OTHER, HERE)], "different"),  # the later one: it is not deterministic
        ([proof(OTHER, HERE), proof(SAME, HERE)], "exact on this platform"),
        ([proof(SAME, HERE), proof(OTHER, ELSEWHERE)], "exact on this platform"),
        ([proof(SAME, ELSEWHERE), proof(OTHER, HERE)], "different"),
        ([proof(NEAR, HERE), proof(SAME, ELSEWHERE)], "within tolerance"),
        ([proof(NOTHING, HERE, why="no")], ""),
        ([proof(SAME, HERE), proof(NOTHING, HERE, why="no")], "exact on this platform"),
        ([proof(SAME, HERE, record="b")], ""),
        ([], ""),
    ],
)
def test_a_level_follows_from_the_last_rebuild_on_each_platform(
    tmp_path: Path, results: list[Proof], expected: str
) -> None:
    assert level(tmp_path, *results) == expected


def test_the_file_in_git_has_the_last_proof_of_each_stage_and_platform_about_the_current_record(tmp_path: Path) -> None:
    file, log = tmp_path / "verified.jsonl", state_dir.folder(tmp_path) / "verified.jsonl"
    proofs.save(tmp_path, [proof(SAME, HERE, record="old")], {"x": node("old")})
    proofs.save(tmp_path, [proof(OTHER, HERE), proof(SAME, ELSEWHERE)], {"x": node("a")})
    proofs.save(tmp_path, [proof(SAME, HERE), proof(NOTHING, HERE, why="it failed")], {"x": node("a")})

    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["record"], line["stack"], line["outcome"]["out"]) for line in lines] == [
        ("a", HERE, "same"), ("a", ELSEWHERE, "same"),
    ]  # fmt: skip
    assert len(log.read_text().splitlines()) == 5, "the log of the machine keeps all"
    proofs.save(tmp_path, [], {})
    assert file.read_text() == ""


def test_another_machine_knows_by_the_file_in_git_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    proofs.save(tmp_path / "a", [proof(NEAR, ELSEWHERE, bounds={"out": {"loss": 0.5}})], {"x": node("a")})
    (tmp_path / "b").mkdir()
    (tmp_path / "a/verified.jsonl").rename(tmp_path / "b/verified.jsonl")
    result = proofs.levels(tmp_path / "b", {"x": node("a")})["out"]

    assert (result.level, result.stacks, result.bounds) == ("within tolerance", [ELSEWHERE], {"loss": 0.5})


def test_the_original_is_the_run_that_made_the_recorded_bytes(tmp_path: Path) -> None:
    def log(root: str, *runs: dict[str, Any]) -> Path:
        file = state_dir.folder(tmp_path / root) / "runs.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text("".join(json.dumps({"stage": "x", **run}) + "\n" for run in runs) + '{"stage": "x", "cut o')
        return tmp_path / root

    made = {"identity": "i", "outcome": "done", "outs": {"out": "0" * 32}}
    clone = log("clone", {"identity": "i", "outcome": "failed"}, made | {"stack": HERE})
    others = [
        {"identity": "i", "outcome": "failed", "stack": {}},
        made | {"outs": {"out": "1" * 32}, "stack": {}},
        made | {"identity": "j", "stack": {}},
        made | {"outcome": "taken", "stack": {}},
    ]
    root = log("project", made | {"stack": ELSEWHERE}, *others)

    assert proofs.platforms(root, clone, "x", node("a")) == (HERE, ELSEWHERE)
    kept = log("kept", {"identity": "i", "outcome": "kept", "stack": ELSEWHERE})
    assert proofs.platforms(kept, clone, "x", node("a")) == (HERE, ELSEWHERE)
    assert proofs.platforms(log("unknown", *others), clone, "x", node("a")) == (HERE, None)
    assert proofs.platforms(root, log("no run"), "x", node("a")) == (None, None)
