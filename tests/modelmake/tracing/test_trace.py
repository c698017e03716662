"""Histories that are made up, with the answers worked out by hand."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from modelmake import identity
from tests.made_up_history import History, chat, jsonl, parquet

QUESTION = "My kettle has been leaking from its base since Tuesday, what am I to do with it now?"
BEFORE = chat("a", "Write to emma@example.org, the blender is loud.", "noise")
ROWS = {
    "a": chat("a", "Write to [EMAIL], the blender is loud.", "noise"),
    "b": chat("b", QUESTION, "leak"),
    "c": chat("c", "Where is my parcel?", "I cannot help with that."),
    "d": chat("d", QUESTION.replace("Tuesday", "Monday"), "leak"),
    "e": chat("e", "Does the toaster fit four slices of rye bread at once?", "question"),
    "f": chat("f", "I want my money back for the broken iron.", "refund"),
    "g": chat("g", "Thank you for all, and " + "very " * 30 + "much!", "thanks"),
}
RAW = "0123456789abcdef0123456789abcdef.dir"


def build(made: History, consumed: list[list[str]], test: str = "e", learning_rate: float = 0.1) -> None:
    """The stages from raw data to a merged model; `a2` is what `a` becomes, `c` is a refusal, `d` is like `b`."""
    a2 = {**ROWS["a"], "id": "a2"}
    ingested = made.stage(
        "ingest",
        {"data/raw": RAW},
        {
            "data/ingested/rows.jsonl": jsonl(BEFORE, *(ROWS[i] for i in "bcdefg")),
            "data/ingested/sources.parquet": parquet(
                "id file line", ("a", "mail.jsonl", 1), ("b", "mail.jsonl", 2), ("c", "mail.jsonl", 3),
                ("d", "mail.jsonl", 4), ("e", "mail.jsonl", 5), ("e", "more/mail.jsonl", 9), ("f", "mail.jsonl", 6),
                ("g", "mail.jsonl", 8),
            ),
            "data/ingested/rejected.jsonl": jsonl(
                {"file": "mail.jsonl", "line": 7, "reason": "broken_json", "detail": "no JSON", "found": '{"q": "Ho ho'}
            ),
        },
    )  # fmt: skip
    cleaned = made.stage(
        "clean",
        {"data/ingested/rows.jsonl": ingested["data/ingested/rows.jsonl"]},
        {
            "data/cleaned/rows.jsonl": jsonl(a2, *(ROWS[i] for i in "bdefg")),
            "data/cleaned/parents.parquet": parquet("id parent rules", ("a2", "a", "email")),
            "data/cleaned/dropped.parquet": parquet("id reason detail", ("c", "refusal", "i cannot")),
        },
    )
    unique = made.stage(
        "dedup",
        {"data/cleaned/rows.jsonl": cleaned["data/cleaned/rows.jsonl"]},
        {
            "data/unique.jsonl": jsonl(a2, *(ROWS[i] for i in "befg")),
            "data/duplicates.parquet": parquet("id kept reason similarity", ("d", "b", "near_duplicate", 0.85)),
        },
        {"dedup": {"near": {"threshold": 0.8, "shingle_chars": 5}}},
    )
    parts = {"train": [i for i in "befg" if i not in test], "test": list(test), "val": []}
    splits = made.stage(
        "split",
        {"data/unique.jsonl": unique["data/unique.jsonl"]},
        {
            "data/splits": {
                f"{part}/chat.jsonl": jsonl(*([a2] if part == "train" else []), *(ROWS[i] for i in ids)) or b"\n"
                for part, ids in parts.items()
            }
        },
    )
    train = jsonl(a2, *(ROWS[i] for i in parts["train"]))
    trained = made.stage(
        "train@sft",
        {"data/splits/train/chat.jsonl": made.store(train), "models/base": "f" * 32 + ".dir"},
        {
            "models/trained/sft": {"adapter_model.safetensors": f"weights of {learning_rate} {consumed}".encode()},
            "reports/train/sft.consumed.jsonl": jsonl(*({"step": n, "ids": i} for n, i in enumerate(consumed, 1))),
            "reports/train/sft.json": json.dumps({"in": 4, "over_long": ["g"]}).encode(),
        },
        {"train.sft": {"learning_rate": learning_rate}},
    )
    made.stage(
        "merge@sft",
        {"models/trained/sft": trained["models/trained/sft"], "models/base": "f" * 32 + ".dir"},
        {"models/sft": {"model.safetensors": f"merged {learning_rate} {consumed}".encode(), "config.json": b"{}\n"}},
    )
    assert splits


@pytest.fixture
def made(tmp_path: Path) -> History:
    """Two commits: in the first the toaster's row `e` is in the test split, in the second it is consumed."""
    made = History(tmp_path / "project")
    build(made, [["b", "a2"], ["a2", "f"]])
    made.commit("First")
    build(made, [["e", "b"], ["a2"]], test="f", learning_rate=0.2)
    made.commit("Second")
    return made


def consumed(report: dict[str, Any]) -> list[tuple[str, list[str], list[str]]]:
    """(commit's subject, models, rows) of every training that consumed something."""
    return [(c["subject"], sorted(f["models"]), f["rows"]) for f in report["consumed"] for c in f["commits"]]


MODELS = ["models/sft", "models/trained/sft"]


def test_a_row_that_was_changed_is_consumed_as_what_it_became(made: History) -> None:
    report = made.json("--row", "a")

    assert [(row["id"], row["relation"]) for row in report["rows"]] == [
        ("a", "the row"), ("a2", "after a stage changed it (email)"),
    ]  # fmt: skip
    assert consumed(report) == [("Second", MODELS, ["a2"]), ("First", MODELS, ["a2"])]
    assert [place["place"] for place in report["places"]] == ["data/raw/mail.jsonl:1"]


def test_a_row_that_a_model_made_leads_to_its_parent_and_its_raw_line_and_back(made: History) -> None:
    row = chat("m", "Which cordless drill suits concrete walls, and which bits?", "drill")
    made.stage(
        "augment",
        {"data/splits": made.store({"train/chat.jsonl": jsonl(ROWS["b"])})},
        {
            "data/augmented": {
                "chat.jsonl": jsonl(row),
                "parents.parquet": parquet("id parent method", ("m", "a2", "rewrite"), ("n", "b", "rewrite")),
                "dropped.parquet": parquet("id reason detail", ("n", "cut_off", "longer than 3")),
            }
        },
    )
    made.commit("Third")

    of_made, of_parent = made.json("--row", "m"), made.json("--row", "a")

    assert [(found["id"], found["relation"]) for found in of_made["rows"]] == [
        ("m", "the row"), ("a2", "before a stage changed it (rewrite)"), ("a", "before a stage changed it (email)"),
    ]  # fmt: skip
    assert [place["place"] for place in of_made["places"]] == ["data/raw/mail.jsonl:1"]
    assert ("m", "after a stage changed it (rewrite)") in [(r["id"], r["relation"]) for r in of_parent["rows"]]
    gone = [(drop["id"], drop["stage"], drop["reason"], drop["table"]) for drop in made.json("--row", "n")["dropped"]]
    assert ("n", "augment", "cut_off", "data/augmented/dropped.parquet") in gone


def test_a_row_is_held_in_a_split_where_it_was_not_consumed(made: History) -> None:
    report = made.json("--row", "data/raw/mail.jsonl:5")

    assert [row["id"] for row in report["rows"]] == ["e"]
    assert consumed(report) == [("Second", MODELS, ["e"])]
    held = [(f["file"], f["models"], [c["subject"] for c in f["commits"]]) for f in report["held"]]
    assert held == [("data/splits/test/chat.jsonl", MODELS, ["First"])]
    assert {place["place"] for place in report["places"]} == {"data/raw/mail.jsonl:5", "data/raw/more/mail.jsonl:9"}


def test_who_holds_a_row_is_told_in_the_order_of_the_build(tmp_path: Path) -> None:
    made, read = History(tmp_path / "project"), {}
    for name in (names := ["ours", "theirs", "bought", "old", "new"]):
        read |= made.stage(name, {}, {f"data/{name}.jsonl": jsonl(ROWS["b"], {**ROWS["e"], "id": name})})
    outs = {
        "models/trained/sft": {"model.safetensors": b"w"},
        "reports/sft.consumed.jsonl": jsonl({"step": 1, "ids": ["new"]}),
    }
    made.stage("train@sft", read, outs)
    made.stage("train@other", {}, {"models/trained/other": {"model.safetensors": b"v"}})
    made.commit("First")

    assert [held["stage"] for held in made.json("--row", "b")["held"]] == names


def test_a_dropped_row_has_its_stage_reason_and_raw_line(made: History) -> None:
    code, printed = made.trace("--row", "c")

    assert code == 0
    assert "  c  data/raw/mail.jsonl:3  [" in printed
    assert re.search(r"^  c by clean: refusal, detail i cannot  \[\w{10} Second and 1 before\]$", printed, re.MULTILINE)
    assert "no model of any build is known to have consumed it" in printed


def test_a_duplicate_tells_of_the_row_that_stood_for_it(made: History) -> None:
    report = made.json("--row", "d")

    dropped = [(f["id"], f["stage"], f["reason"], f["kept"], f["similarity"]) for f in report["dropped"]]
    assert dropped == [("d", "dedup", "near_duplicate", "b", 0.85)]
    assert [row["relation"] for row in report["rows"]] == ["the row", "stands for it: near_duplicate (0.85) of d"]
    assert consumed(report) == [("Second", MODELS, ["b"]), ("First", MODELS, ["b"])]


def test_a_record_that_became_no_row_is_told_by_place_and_by_text(made: History) -> None:
    for asked in ("mail.jsonl:7", '{"q": "Ho ho'):
        (refused,) = made.json("--row", asked)["refused"]
        assert (refused["place"], refused["reason"]) == ("data/raw/mail.jsonl:7", "broken_json")


def test_a_row_that_a_step_read_and_left_out_has_the_reason_of_its_report(made: History) -> None:
    report = made.json("--row", "g")

    assert [(f["stage"], f["reason"], f["table"]) for f in report["dropped"]] == [
        ("train@sft", "over_long", "reports/train/sft.json")
    ]
    assert consumed(report) == []


def test_a_text_of_no_table_finds_the_rows_that_are_nearly_it(made: History) -> None:
    report = made.json("--row", QUESTION.replace("Tuesday", "Friday"))

    alike = {row["id"]: row["similarity"] for row in report["rows"] if row["relation"] == "near-duplicate"}
    assert alike.keys() == {"b", "d"} and all(0.8 <= similarity < 1 for similarity in alike.values())
    assert consumed(report) == [("Second", MODELS, ["b"]), ("First", MODELS, ["b"])]


def test_a_text_is_found_whatever_its_case_and_spaces(made: History) -> None:
    report = made.json("--row", "  does the TOASTER fit four\nslices of rye bread at once? ")

    assert [(row["id"], row["relation"]) for row in report["rows"]] == [("e", "says this text")]


def test_near_is_what_the_parameters_of_each_build_say(made: History) -> None:
    made.stages["dedup"]["params"]["params.yaml"]["dedup"]["near"]["threshold"] = 0.99
    made.commit("Strict")

    report = made.json("--row", QUESTION.replace("Tuesday", "Friday"))

    assert consumed(report) == [("Second", MODELS, ["b"]), ("First", MODELS, ["b"])]


def test_rows_that_never_met_in_a_build_are_still_found_alike(made: History) -> None:
    made.stages.clear()
    made.stage("ingest", {"data/raw": RAW}, {"rows.jsonl": jsonl(chat("z", QUESTION + " Please!", "leak"))})
    made.commit("Other rows")

    assert consumed(made.json("--row", "z")) == [("Second", MODELS, ["b"]), ("First", MODELS, ["b"])]


def test_a_place_means_the_row_that_stands_there_in_the_newest_build(made: History) -> None:
    sources = parquet("id file line", ("b", "mail.jsonl", 5), ("e", "mail.jsonl", 2))
    made.stages["ingest"]["outs"][2]["md5"] = made.store(sources)
    made.write()

    report = made.json("--row", "mail.jsonl:5")

    assert [row["id"] for row in report["rows"] if row["relation"] == "stands there"] == ["b"]
    assert report["elsewhen"] == {"e": 2}


def test_what_the_cache_lacks_is_named_and_never_guessed(made: History) -> None:
    lost = made.stages["train@sft"]["outs"][1]
    assert lost["path"] == "reports/train/sft.consumed.jsonl"
    made.cached(lost["md5"]).unlink()

    report = made.json("--row", "e")

    assert consumed(report) == []
    (unknown,) = report["unknown"]
    assert (unknown["stage"], unknown["unread"]) == ("train@sft", ["reports/train/sft.consumed.jsonl"])
    assert (sorted(unknown["models"]), unknown["commits"][0]["subject"]) == (MODELS, "Second")
    assert [(m["path"], m["md5"], m["stage"]) for m in report["missing"]] == [(lost["path"], lost["md5"], "train@sft")]


def test_an_object_that_is_not_what_its_name_says_counts_as_absent(made: History) -> None:
    made.cached(made.stages["train@sft"]["outs"][1]["md5"]).write_bytes(jsonl({"step": 1, "ids": ["c"]}))

    report = made.json("--row", "c")

    assert consumed(report) == []
    assert [f["stage"] for f in report["unknown"]] == ["train@sft"]


def test_the_index_remembers_what_the_cache_lost(made: History) -> None:
    made.json("--row", "e")
    made.cached(made.stages["train@sft"]["outs"][1]["md5"]).unlink()

    assert consumed(made.json("--row", "e")) == [("Second", MODELS, ["e"])]


def test_a_stage_that_keeps_no_list_is_said_to_have_read_the_row(made: History) -> None:
    made.stage("base", {"data/unique.jsonl": made.stages["split"]["deps"][0]["md5"]}, {"models/base": {"w.gguf": b"w"}})
    made.commit("Own base")

    (read,) = made.json("--row", "e")["read"]

    assert (read["stage"], list(read["models"]), read["commits"][0]["subject"]) == ("base", ["models/base"], "Own base")


def test_a_row_of_no_build_is_one_line_and_exit_code_1(made: History) -> None:
    for asked in ("nothing like any of them at all", "mail.jsonl:99"):
        code, printed = made.trace("--row", asked)
        assert (code, printed.count("\n")) == (1, 1), printed
    assert "mail.jsonl:99: no record of any build begins there: the last before it begins on line 9" in printed


def model(made: History, folder: Path) -> Path:
    """models/sft of the last build, as someone may have copied it."""
    folder.mkdir(parents=True)
    merged = made.stages["merge@sft"]["outs"][0]["md5"]
    for file in json.loads(made.cached(merged).read_text()):
        shutil.copyfile(made.cached(file["md5"]), folder / file["relpath"])
    return folder


def test_a_folder_outside_any_repository_is_known_by_its_bytes(made: History, tmp_path: Path) -> None:
    report = made.json(str(model(made, tmp_path / "downloads/best")))

    assert (report["output"], report["stage"], report["note"]) == ("models/sft", "merge@sft", "")
    assert [commit["subject"] for commit in report["commits"]] == ["Second"]
    chain = [stage["stage"] for stage in report["stages"]]
    assert chain == ["ingest", "clean", "dedup", "split", "train@sft", "merge@sft"]
    assert [(d["path"], d["md5"]) for d in report["data"]] == [("data/raw", RAW), ("models/base", "f" * 32 + ".dir")]
    (told,) = report["consumed"]
    assert [(row["step"], row["id"], row["sources"]) for row in told["rows"]] == [
        (1, "e", ["data/raw/mail.jsonl:5", "data/raw/more/mail.jsonl:9"]),
        (1, "b", ["data/raw/mail.jsonl:2"]),
        (2, "a2", ["data/raw/mail.jsonl:1"]),
    ]
    assert report["stages"][4]["parameters"] == {"train.sft.learning_rate": 0.2}


def test_a_file_of_a_model_is_known_by_its_bytes(made: History, tmp_path: Path) -> None:
    file = model(made, tmp_path / "x") / "model.safetensors"

    report = made.json(str(file))

    assert (report["output"], report["file"], report["stage"]) == ("models/sft", "model.safetensors", "merge@sft")


def test_a_folder_with_a_file_too_many_names_it(made: History, tmp_path: Path) -> None:
    folder = model(made, tmp_path / "x")
    (folder / "README.md").write_text("mine")

    report = made.json(str(folder))

    assert report["output"] == "models/sft"
    assert report["note"] == "2 of its 3 files are of this output; not of it: README.md"


def test_a_model_of_an_old_commit_is_traced_to_that_commit(made: History, tmp_path: Path) -> None:
    made.git("checkout", "-q", "HEAD~")
    lock = (made.root / "dvc.lock").read_text()
    made.git("checkout", "-q", "main")
    old = re.search(r"- path: models/sft\n\s+hash: md5\n\s+md5: (\w+\.dir)", lock)[1]
    made.stages["merge@sft"]["outs"][0]["md5"] = old

    report = made.json(str(model(made, tmp_path / "old")))

    assert [commit["subject"] for commit in report["commits"]] == ["First"]
    assert report["working_tree"] is False
    assert [row["id"] for row in report["consumed"][0]["rows"]] == ["b", "a2", "a2", "f"]


def test_an_output_that_is_not_checked_out_is_traced_as_the_lock_has_it(made: History) -> None:
    report = made.json("models/sft")

    assert report["note"] == "not here; as dvc.lock of the working tree records it"


def test_an_unknown_file_is_one_line_and_exit_code_1(made: History, tmp_path: Path) -> None:
    (tmp_path / "other.gguf").write_text("another's model")

    code, printed = made.trace(str(tmp_path / "other.gguf"))

    assert (code, printed.count("\n")) == (1, 1)
    assert "other.gguf: 5c1e" in printed or "no dvc.lock of any commit has it" in printed


def test_a_stage_whose_input_was_made_anew_is_traced_to_the_build_that_it_really_used(made: History) -> None:
    """dvc.lock after `dvc repro train@sft` in another order: merge@sft still merges the first adapter."""
    first = History(made.root.parent / "same")
    build(first, [["b", "a2"], ["a2", "f"]])
    made.stages["merge@sft"] = first.stages["merge@sft"]
    made.commit("Half a build")

    report = made.json("models/sft")

    assert [row["id"] for row in report["consumed"][0]["rows"]] == ["b", "a2", "a2", "f"]
    built = {stage["stage"]: stage["build"] for stage in report["stages"]}
    assert built["train@sft"][0]["subject"] == "First"
    assert built["merge@sft"] is None
    assert consumed(made.json("--row", "e")) == [
        ("Half a build", ["models/trained/sft"], ["e"]), ("Second", MODELS, ["e"]),
    ]  # fmt: skip
    half, whole = ("Half a build", ["models/sft"], ["f"]), ("First", MODELS, ["f"])
    assert consumed(made.json("--row", "f")) == [half, whole]


def test_a_model_made_from_what_no_build_has_is_not_known(made: History) -> None:
    made.stages["merge@sft"]["deps"][1]["md5"] = "9" * 32 + ".dir"
    made.commit("Of another adapter")

    (unknown,) = made.json("--row", "e")["unknown"]

    why = "train@sft of this build made another models/trained/sft, and no other build has this one"
    assert (unknown["stage"], unknown["unread"]) == ("merge@sft", [f"models/trained/sft ({why})"])
    assert f"models/trained/sft: {why}" in made.trace("models/sft")[1]


def record(made: History, *stages: str) -> None:
    """What the harness writes of a run."""
    log = made.root / ".dvc/cache/modelmake/runs.jsonl"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        for name in stages:
            entry = made.stages[name]
            run = {
                "stage": name, "identity": identity.of_lock(entry), "outcome": "done", "seconds": 3.5,
                "started": "2026-01-02T03:04:05Z", "outs": {out["path"]: out["md5"] for out in entry["outs"]},
            }  # fmt: skip
            file.write(json.dumps(run) + "\n")


def told(report: dict[str, Any]) -> dict[str, str]:
    return {stage["stage"]: stage["run"]["told"] for stage in report["stages"]}


def test_a_build_is_told_from_a_change_that_was_accepted(made: History) -> None:
    record(made, "train@sft", "merge@sft")
    made.stages["train@sft"]["params"]["params.yaml"]["train.sft"]["learning_rate"] = 0.5
    made.commit("dvc commit -f train@sft")

    found = told(made.json("models/sft"))

    assert found["merge@sft"] == "built here 2026-01-02T03:04:05Z in 3.5 s"
    assert found["train@sft"] == (
        "accepted, not rebuilt: its bytes are of the run of 2026-01-02T03:04:05Z, from other inputs; "
        "changed since: train.sft.learning_rate 0.2 -> 0.5"
    )
    assert found["split"] == "no record here"
    assert "accepted, not rebuilt" in made.trace("models/sft", "--graph")[1]


def test_outputs_that_were_changed_by_hand_and_accepted_are_named(made: History) -> None:
    record(made, "merge@sft")
    made.stages["merge@sft"]["outs"][0]["md5"] = made.store({"model.safetensors": b"by hand"})
    made.commit("By hand")

    assert told(made.json("models/sft"))["merge@sft"] == (
        "accepted, not rebuilt: the run of 2026-01-02T03:04:05Z made another models/sft"
    )


def test_a_clone_without_records_says_so(made: History) -> None:
    assert set(told(made.json("models/sft")).values()) == {"no record here"}


def test_a_build_that_no_run_here_explains_may_come_from_elsewhere(made: History) -> None:
    record(made, "train@sft")
    build(made, [["b"]], learning_rate=0.7)
    made.commit("Pulled")

    assert told(made.json("models/sft"))["train@sft"] == (
        "no run here had these inputs: built on another machine, or accepted by dvc commit"
    )


def test_code_and_packages_are_those_of_the_commit(made: History) -> None:
    key = {"python": "3.11", "modules": {"stages.train": "1" * 16}, "packages": {"torch": "2.13.0"}, "environments": {}}
    (made.root / "keys").mkdir()
    for version in ("2.13.0", "2.14.0"):
        key["packages"]["torch"] = version
        text = json.dumps(key).encode()
        (made.root / "keys/train.sft.json").write_bytes(text)
        dep = {"path": "keys/train.sft.json", "hash": "md5", "md5": made.store(text), "size": 1}
        made.stages["train@sft"]["deps"] = [*made.stages["train@sft"]["deps"][-2:], dep]
        if version == "2.13.0":
            made.commit("With a key")
    made.git("commit", "-qam", "A key whose build is not committed")

    (train,) = [stage for stage in made.json("models/sft")["stages"] if stage["stage"] == "train@sft"]

    assert train["code"]["key"]["packages"] == {"torch": "2.13.0"}


def test_a_build_that_is_not_committed_is_traced(made: History) -> None:
    build(made, [["f"]], test="e", learning_rate=0.9)
    made.write()

    report = made.json("models/sft")

    assert (report["working_tree"], report["commits"]) == (True, [])
    assert ("models/sft" in report["output"]) and report["consumed"][0]["rows"][0]["id"] == "f"


def test_rewritten_and_hidden_commits_are_told_from_those_that_there_are(made: History) -> None:
    made.json("--row", "e")
    made.git("update-ref", "refs/exps/aa/bb/tried", "HEAD")  # where `dvc exp run` keeps its commits
    made.git("reset", "-q", "--hard", "HEAD~")
    assert [subject for subject, _, _ in consumed(made.json("--row", "e"))] == ["Second"]

    made.git("update-ref", "-d", "refs/exps/aa/bb/tried")

    (found,) = made.json("--row", "e")["consumed"]
    assert (found["commits"], found["working_tree"]) == ([], False)


def test_a_lock_with_the_marks_of_a_merge_is_named(made: History) -> None:
    lock = made.root / "dvc.lock"
    lock.write_text("<<<<<<< HEAD\n" + lock.read_text())
    made.git("commit", "-qam", "Oh")

    report = made.json("--row", "e")

    assert [found["problem"] for found in report["unreadable"]] == ["no dvc.lock: <<<<<<< HEAD"]
    assert [subject for subject, _, _ in consumed(report)] == ["Second"]


def test_an_index_that_is_spoilt_is_made_anew(made: History) -> None:
    before = made.json("--row", "e")
    (made.root / ".dvc/cache/modelmake/trace.sqlite").write_bytes(b"no database" * 1000)

    assert made.json("--row", "e") == before


def test_the_same_is_told_from_a_folder_within(made: History) -> None:
    (made.root / "data/raw").mkdir(parents=True)

    code, printed = made.trace("--row", "../raw/mail.jsonl:3", here=made.root / "data/raw")

    assert code == 0 and "refusal" in printed


def test_without_git_the_working_tree_is_all_there_is(made: History) -> None:
    shutil.rmtree(made.root / ".git")

    assert made.json("--row", "e")["consumed"][0]["working_tree"] is True


def test_a_drawing_has_every_stage_and_its_inputs(made: History) -> None:
    code, printed = made.trace("models/sft", "--graph")

    assert code == 0
    lines = printed.splitlines()
    assert lines[0] == "flowchart TD"
    assert '  s5["merge@sft"]' in lines
    assert '  d0[("data/raw")] --> s0' in lines
    assert '  s4 -->|"models/trained/sft"| s5' in lines
    assert '  s4 -.- c0[/"3 rows consumed in 2 steps"/]' in lines
    assert lines[-1] == '  s5 --> model(["models/sft"])'


def test_a_drawing_of_a_row_has_its_places_drops_and_models(made: History) -> None:
    code, printed = made.trace("--row", "d", "--graph")

    assert code == 0
    assert re.search(r'^  n\d\[\("data/raw/mail.jsonl:4"\)\] --> r0$', printed, re.MULTILINE)
    assert re.search(r'^  r1 ==>\|consumed\| n\d\(\["models/trained/sft, models/sft', printed, re.MULTILINE)
    assert re.search(r'^  r0 --x n\d\{\{"dedup: near_duplicate, similarity 0.85, for b"\}\}$', printed, re.MULTILINE)


def test_one_question_at_a_time(made: History) -> None:
    for arguments in ([], ["models/sft", "--row", "e"]):
        code, printed = made.trace(*arguments)
        assert code == 1 and printed.startswith("trace: want a model")
