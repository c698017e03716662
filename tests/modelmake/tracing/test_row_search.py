"""The rows that a question is about: by id, place or text, with their versions and duplicates."""

from pathlib import Path

import pytest

from tests.made_up_history import MadeUpProject, chat, jsonl, parquet
from tests.modelmake.tracing.kettle_build import MODELS, QUESTION, RAW, ROWS, consumed

BOTH = [("Second", MODELS, ["b"]), ("First", MODELS, ["b"])]


def test_a_row_that_was_changed_is_consumed_as_its_later_version(project: MadeUpProject) -> None:
    report = project.json("--row", "a")

    assert [(row["id"], row["relation"]) for row in report["rows"]] == [
        ("a", "the row"), ("a2", "after a stage changed it (email)"),
    ]  # fmt: skip
    assert consumed(report) == [("Second", MODELS, ["a2"]), ("First", MODELS, ["a2"])]
    assert [place["place"] for place in report["places"]] == ["data/raw/mail.jsonl:1"]


def test_a_row_that_a_model_made_leads_to_its_parent_and_its_raw_line_and_back(project: MadeUpProject) -> None:
    row = chat("m", "Which cordless drill suits concrete walls, and which bits?", "drill")
    project.stage(
        "augment",
        {"data/splits": project.store({"train/chat.jsonl": jsonl(ROWS["b"])})},
        {
            "data/augmented": {
                "chat.jsonl": jsonl(row),
                "parents.parquet": parquet("id parent method", ("m", "a2", "rewrite"), ("n", "b", "rewrite")),
                "dropped.parquet": parquet("id reason detail", ("n", "cut_off", "longer than 3")),
            }
        },
    )
    project.commit("Third")

    augmented, parent, dropped = (project.json("--row", id) for id in ("m", "a", "n"))

    assert [(row["id"], row["relation"]) for row in augmented["rows"]] == [
        ("m", "the row"), ("a2", "before a stage changed it (rewrite)"), ("a", "before a stage changed it (email)"),
    ]  # fmt: skip
    assert [place["place"] for place in augmented["places"]] == ["data/raw/mail.jsonl:1"]
    assert ("m", "after a stage changed it (rewrite)") in [(row["id"], row["relation"]) for row in parent["rows"]]
    drops = [(drop["id"], drop["stage"], drop["reason"], drop["table"]) for drop in dropped["dropped"]]
    assert ("n", "augment", "cut_off", "data/augmented/dropped.parquet") in drops


def test_a_duplicate_leads_to_the_row_that_was_kept(project: MadeUpProject) -> None:
    report = project.json("--row", "d")

    dropped = [
        (drop["id"], drop["stage"], drop["reason"], drop["kept"], drop["similarity"]) for drop in report["dropped"]
    ]
    assert dropped == [("d", "dedup", "near_duplicate", "b", 0.85)]
    assert [row["relation"] for row in report["rows"]] == ["the row", "kept instead: near_duplicate (0.85) of d"]
    assert consumed(report) == BOTH


@pytest.mark.parametrize("question", ["mail.jsonl:7", "data/raw/mail.jsonl:7", '{"q": "Ho ho'])
def test_a_record_that_became_no_row_is_found_by_place_and_by_text(project: MadeUpProject, question: str) -> None:
    (rejected,) = project.json("--row", question)["rejected"]

    assert (rejected["place"], rejected["reason"]) == ("data/raw/mail.jsonl:7", "broken_json")


def test_a_text_of_no_table_finds_its_near_duplicates(project: MadeUpProject) -> None:
    report = project.json("--row", QUESTION.replace("Tuesday", "Friday"))

    similar = {row["id"]: row["similarity"] for row in report["rows"] if row["relation"] == "near-duplicate"}
    assert similar.keys() == {"b", "d"} and all(0.8 <= similarity < 1 for similarity in similar.values())
    assert consumed(report) == BOTH


def test_a_text_is_found_whatever_its_case_and_spaces(project: MadeUpProject) -> None:
    report = project.json("--row", "  does the TOASTER fit four\nslices of rye bread at once? ")

    assert [(row["id"], row["relation"]) for row in report["rows"]] == [("e", "has this text")]


def test_each_build_has_the_criterion_of_its_own_parameters(project: MadeUpProject) -> None:
    project.stages["dedup"]["params"]["params.yaml"]["dedup"]["near"]["threshold"] = 0.99
    project.commit("Strict")

    report = project.json("--row", QUESTION.replace("Tuesday", "Friday"))

    assert report["near"] == [{"threshold": 0.8, "chars": 5}, {"threshold": 0.99, "chars": 5}]
    assert consumed(report) == BOTH


def test_near_duplicates_that_were_never_in_one_build_are_found(project: MadeUpProject) -> None:
    project.stages.clear()
    project.stage("ingest", {"data/raw": RAW}, {"rows.jsonl": jsonl(chat("z", QUESTION + " Please!", "leak"))})
    project.commit("Other rows")

    assert consumed(project.json("--row", "z")) == BOTH


def test_a_place_means_the_row_that_the_newest_build_has_there(project: MadeUpProject) -> None:
    sources = parquet("id file line", ("b", "mail.jsonl", 5), ("e", "mail.jsonl", 2))
    project.stages["ingest"]["outs"][2]["md5"] = project.store(sources)
    project.write()

    report = project.json("--row", "mail.jsonl:5")

    assert [row["id"] for row in report["rows"] if row["relation"] == "at this place"] == ["b"]
    assert report["other_builds"] == {"e": 2}


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("nothing like any of them at all", "no build has this row or a similar one"),
        ("mail.jsonl:99", "mail.jsonl:99: no record of any build begins there: the last before it begins on line 9"),
    ],
)
def test_a_row_of_no_build_is_one_line_and_exit_code_1(project: MadeUpProject, question: str, message: str) -> None:
    code, output = project.trace("--row", question)

    assert (code, output.count("\n")) == (1, 1)
    assert message in output


def lost_table(project: MadeUpProject) -> Path:
    """The object of a table with one more near-duplicate, `z`."""
    content = jsonl(chat("z", QUESTION + " Please!", "leak"))
    (md5,) = project.stage("other", {}, {"other.jsonl": content}).values()
    project.commit("Other rows")
    return project.cached(md5)


def test_similar_rows_whose_text_the_cache_lost_are_named(project: MadeUpProject) -> None:
    table = lost_table(project)
    assert "z" in {row["id"] for row in project.json("--row", QUESTION)["rows"]}
    table.unlink()

    report = project.json("--row", QUESTION)

    assert {row["id"] for row in report["rows"]} == {"b", "d"}
    assert report["uncompared"] == {"ids": ["z"], "more": 0}
    assert "may be similar, but their texts are not in the cache: z" in project.trace("--row", QUESTION)[1]


def test_rows_that_could_never_be_compared_are_counted(project: MadeUpProject) -> None:
    table = lost_table(project)
    project.json("models/sft")  # indexes rows, and signs none
    table.unlink()

    report = project.json("--row", QUESTION)

    assert report["uncompared"] == {"ids": [], "more": 1}
    assert "not compared, because their texts were not in the cache: 1 rows" in project.trace("--row", QUESTION)[1]
