"""A build that really ran: answers of `trace` are compared with the raw files and the stages' own tables."""

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from tests.conftest import Project


def commit(project: Project) -> None:
    who = {f"GIT_{role}_{name}": "t@t" for role in ("AUTHOR", "COMMITTER") for name in ("NAME", "EMAIL")}
    for command in (["add", "-A"], ["commit", "-qm", "Built"]):
        subprocess.run(["git", *command], cwd=project.path, check=True, env={**os.environ, **who})


def trace(project: Project, *arguments: str) -> dict[str, Any]:
    code, output = project.run("python", "-m", "stages.commands.cli", "trace", "--json", *arguments)
    assert code == 0, output
    return json.loads(output)


def table(path: Path) -> list[dict[str, Any]]:
    return pyarrow.parquet.read_table(path).to_pylist()


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def strings(value: Any) -> list[str]:
    """Every text in a raw record of any format."""
    if isinstance(value, dict | list):
        return [text for inner in (value.values() if isinstance(value, dict) else value) for text in strings(inner)]
    return [value] if isinstance(value, str) else []


def record(project: Project, place: str) -> Any:
    """The raw record that begins at a line: parsed JSON, or a paragraph of text."""
    file, _, line = place.rpartition(":")
    text = "\n".join(project.read(file).split("\n")[int(line) - 1 :]).lstrip()
    with contextlib.suppress(ValueError):
        return json.JSONDecoder().raw_decode(text)[0]
    return text.partition("\n\n")[0]


def test_consumed_rows_are_at_the_places_that_trace_names(project: Project) -> None:
    commit(project)

    report = trace(project, "models/dpo")

    assert report["commits"][0]["subject"] == "Built" and report["missing"] == []
    stages = [stage["stage"] for stage in report["stages"]]
    assert stages == [
        "ingest", "clean", "dedup", "split", "augment", "mix", "base", "train@sft", "merge@sft", "train@dpo",
        "merge@dpo",
    ]  # fmt: skip
    contents = {
        row["id"]: row["content"]
        for file in ("chat", "pair")
        for row in rows(project.path / f"data/mixed/{file}.jsonl")
    }
    changed_ids = {parent["id"] for parent in table(project.path / "data/cleaned/parents.parquet")}
    for step, consumed in zip(("sft", "dpo"), report["consumed"], strict=True):
        listed = [
            (batch["step"], id)
            for batch in rows(project.path / f"reports/train/{step}.consumed.jsonl")
            for id in batch["ids"]
        ]
        assert [(row["step"], row["id"]) for row in consumed["rows"]] == listed
        for row in consumed["rows"]:
            assert row["sources"], row
            if row["id"] not in changed_ids:
                question = next(
                    m["content"] for m in (contents[row["id"]].get("messages") or contents[row["id"]]["prompt"])
                )
                for place in row["sources"]:
                    texts = strings(record(project, place))
                    missing = [part for part in question.split("\n\n") if not any(part in text for text in texts)]
                    assert missing == [], (question, place, texts)
    assert [(read["stage"], read["file"]) for read in report["unrecorded"]] == [("base", "data/mixed/text.jsonl")]
    sft = report["stages"][stages.index("train@sft")]
    assert sft["code"]["key"]["packages"]["trl"] and sft["parameters"]["train.sft.learning_rate"] == 0.002


def test_held_out_and_dropped_rows_are_in_no_model(project: Project) -> None:
    commit(project)
    held_out = rows(project.path / "data/splits/test/chat.jsonl")[0]["id"]
    refusal = next(d for d in table(project.path / "data/cleaned/dropped.parquet") if d["reason"] == "refusal")
    source = next(s for s in table(project.path / "data/ingested/sources.parquet") if s["id"] == refusal["id"])

    held = trace(project, "--row", held_out)
    dropped = trace(project, "--row", f"{source['file']}:{source['line']}")

    (answer,) = held["held"]
    assert answer["file"] == "data/splits/test/chat.jsonl" and held["consumed"] == held["read"] == []
    assert answer["models"] == [
        "models/base", "models/dpo", "models/quantized/Q8_0", "models/sft", "models/trained/dpo", "models/trained/sft",
    ]  # fmt: skip
    reasons = [(d["id"], d["stage"], d["reason"], d["detail"]) for d in dropped["dropped"]]
    assert reasons == [(refusal["id"], "clean", "refusal", refusal["detail"])]
    assert dropped["consumed"] == dropped["held"] == []


def test_a_change_that_dvc_commit_accepted_is_named(project: Project) -> None:
    commit(project)  # the inputs of the runs are looked up in it
    project.edit("params.yaml", "    learning_rate: 0.002\n", "    learning_rate: 0.0021\n")
    project.repro("preflight")
    code, output = project.run("dvc", "commit", "-f", "train@sft")
    assert code == 0, output

    runs = {stage["stage"]: stage["run"] for stage in trace(project, "models/dpo")["stages"]}

    assert runs["train@sft"]["state"] == "accepted", runs["train@sft"]
    assert runs["train@sft"]["differs"] == ["train.sft.learning_rate 0.002 -> 0.0021"]
    assert runs["merge@dpo"]["state"] == "built"


@pytest.mark.parametrize("path", ["models/sft", "models/quantized/Q8_0/model.gguf"])
def test_a_copy_outside_the_project_is_the_same_model(project: Project, tmp_path: Path, path: str) -> None:
    copy = tmp_path / "elsewhere"
    subprocess.run(["cp", "-rL", project.path / path, copy], check=True)

    report = trace(project, str(copy))

    assert (project.path / report["output"] / report["file"]).exists()
    assert path.startswith(report["output"]) or path in report["also"]
    assert report["working_tree"] is True
