"""The outcome of a row in each build: consumed, read, held, dropped, not known."""

from pathlib import Path

from tests.made_up_history import MadeUpProject, jsonl
from tests.modelmake.tracing.kettle_build import MODELS, ROWS, consumed


def test_a_row_is_held_in_a_split_where_it_was_not_consumed(project: MadeUpProject) -> None:
    report = project.json("--row", "data/raw/mail.jsonl:5")

    assert [row["id"] for row in report["rows"]] == ["e"]
    assert consumed(report) == [("Second", MODELS, ["e"])]
    held = [
        (answer["file"], answer["models"], [commit["subject"] for commit in answer["commits"]])
        for answer in report["held"]
    ]
    assert held == [("data/splits/test/chat.jsonl", MODELS, ["First"])]
    assert {place["place"] for place in report["places"]} == {"data/raw/mail.jsonl:5", "data/raw/more/mail.jsonl:9"}


def test_files_that_hold_a_row_come_in_the_order_of_the_build(tmp_path: Path) -> None:
    project, inputs = MadeUpProject(tmp_path / "project"), {}
    for name in (names := ["ours", "theirs", "bought", "old", "new"]):
        inputs |= project.stage(name, {}, {f"data/{name}.jsonl": jsonl(ROWS["b"], {**ROWS["e"], "id": name})})
    outs = {
        "models/trained/sft": {"model.safetensors": b"w"},
        "reports/sft.consumed.jsonl": jsonl({"step": 1, "ids": ["new"]}),
    }
    project.stage("train@sft", inputs, outs)
    project.stage("train@other", {}, {"models/trained/other": {"model.safetensors": b"v"}})
    project.commit("First")

    assert [answer["stage"] for answer in project.json("--row", "b")["held"]] == names


def test_a_row_that_a_step_read_and_left_out_has_the_reason_of_its_report(project: MadeUpProject) -> None:
    report = project.json("--row", "g")

    assert [(drop["stage"], drop["reason"], drop["table"]) for drop in report["dropped"]] == [
        ("train@sft", "over_long", "reports/train/sft.json")
    ]
    assert consumed(report) == []


def test_a_stage_that_keeps_no_list_has_read_the_row(project: MadeUpProject) -> None:
    unique = project.stages["split"]["deps"][0]["md5"]
    project.stage("base", {"data/unique.jsonl": unique}, {"models/base": {"w.gguf": b"w"}})
    project.commit("Own base")

    (answer,) = project.json("--row", "e")["read"]

    assert (answer["stage"], [*answer["models"]]) == ("base", ["models/base"])
    assert answer["commits"][0]["subject"] == "Own base"


def test_what_the_cache_lacks_is_named_and_never_guessed(project: MadeUpProject) -> None:
    lost = project.stages["train@sft"]["outs"][1]
    assert lost["path"] == "reports/train/sft.consumed.jsonl"
    project.cached(lost["md5"]).unlink()

    report = project.json("--row", "e")

    assert consumed(report) == []
    (unknown,) = report["unknown"]
    assert (unknown["stage"], unknown["unread"]) == ("train@sft", ["reports/train/sft.consumed.jsonl"])
    assert (sorted(unknown["models"]), unknown["commits"][0]["subject"]) == (MODELS, "Second")
    missing = [(file["path"], file["md5"], file["stage"]) for file in report["missing"]]
    assert missing == [(lost["path"], lost["md5"], "train@sft")]
