"""An examination shows what was lost, beside the training rows nearest to it, in files that people can mend."""

import json
from pathlib import Path
from typing import Any

import pytest

from modelmake.errors import UserError
from stages import examine
from stages.evaluating import scoring
from stages.params.data import Dedup, Near
from stages.params.evaluation import Suite, TextSuite
from stages.params.examination import Examination
from stages.rows import jsonl, parquet_table
from stages.rows.row import Chat, Message, Pair, Row, Text, make_row
from tests.ingest_run import rows_of
from tests.ingest_run import run as ingested

HIGHER = {"better": "higher", "least": 0, "most": 1, "source": ""}
NEAR = Near(threshold=0.85, shingle_chars=5, permutations=64, bands=16, seed=1, threads=1)
DEDUP = Dedup(NEAR, "none", None, "keep", 1.0)
SUITE = Suite(["label_accuracy"], label="intent", slots=[], answer_schema=None)


def labelled(label: str) -> str:
    return json.dumps({"intent": label})


def chat(question: str, label: str) -> Row:
    return make_row(Chat([Message("user", question), Message("assistant", labelled(label))]))


TESTS = sorted(
    [chat(f"where is my parcel, number {n}?", "parcel") for n in range(40)]
    + [chat(f"please give me back the money of order {n}", "refund") for n in range(40)],
    key=lambda row: row.id,
)
PARCEL = chat("where is my parcel, number 1234?", "parcel")
WRONG = chat("please give me back the money of order 4321", "parcel")
PAIR = make_row(Pair(
    [Message("user", "please give me back the money of an order")],
    [Message("assistant", labelled("parcel"))], [Message("assistant", labelled("refund"))],
))  # fmt: skip


def is_refund(row: Row) -> bool:
    return "money" in row.content.messages[0].content


def params(**changes: Any) -> Examination:
    fields = {
        "model": "dpo", "against": "sft", "suite": "chat", "metric": "label_accuracy", "confidence": 0.95,
        "min_rows": 20, "regressions": 3, "nearest": 2,
    }  # fmt: skip
    return Examination(**fields | changes)


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> examine.Inputs:
    """Refunds are answered wrongly by dpo, two of three of which a row that was labelled wrongly is nearest to."""
    monkeypatch.chdir(tmp_path)
    jsonl.write(tmp_path / "rows.jsonl", TESTS)
    jsonl.write(tmp_path / "grouped.jsonl", [Row(r.id, r.content, "", f"group {is_refund(r)}") for r in TESTS])
    for name in ("sft", "dpo"):
        scoring.write(tmp_path / f"{name}.jsonl", [
            scoring.Answer(row.id, row.content.messages[0].content, row.content.messages[1].content,
                           labelled("parcel" if wrong else "right"), {"label_accuracy": (float(not wrong), 1.0)})
            for row in TESTS for wrong in [name == "dpo" and is_refund(row)]
        ])  # fmt: skip
    (tmp_path / "scores.json").write_text(json.dumps({"declared": {"label_accuracy": HIGHER}}))
    (tmp_path / "mixed").mkdir()
    for kind, rows in {"chat": [PARCEL, WRONG, WRONG], "pair": [PAIR], "judged": [], "text": []}.items():
        jsonl.write(tmp_path / f"mixed/{kind}.jsonl", rows)
    raw = chat("raw of wrong", "parcel")
    sources = [(row.id, "golden.jsonl", n + 1) for n, row in enumerate(TESTS)]
    sources += [(raw.id, "b.csv", 7), (WRONG.id, "a.jsonl", 12), (PARCEL.id, "a.jsonl", 3)]
    parquet_table.write(tmp_path / "sources.parquet", {"id": str, "file": str, "line": int}, sources)
    columns = {"id": str, "parent": str, "rules": str}
    parquet_table.write(tmp_path / "parents.parquet", columns, [(WRONG.id, raw.id, "mojibake")])
    return examine.Inputs(
        tmp_path / "dpo.jsonl", tmp_path / "sft.jsonl", tmp_path / "scores.json", tmp_path / "rows.jsonl",
        tmp_path / "grouped.jsonl", tmp_path / "mixed", tmp_path / "sources.parquet", tmp_path / "parents.parquet",
    )  # fmt: skip


def run(inputs: examine.Inputs, **changes: Any) -> tuple[str, dict[str, Any], list[dict[str, Any]], Path]:
    outputs = examine.Outputs(*(inputs.rows.parent / name for name in ("out.json", "out.jsonl", "out.train.jsonl")))
    line = examine.main(inputs, outputs, "dpo", "chat", params(**changes), SUITE, DEDUP)
    regressions = [json.loads(text) for text in outputs.regressions.read_text().splitlines()]
    return line, json.loads(outputs.slices.read_text()), regressions, outputs.mend


def test_slices_are_by_label_length_language_source_and_group(inputs: examine.Inputs) -> None:
    line, report, _, _ = run(inputs)

    verdicts = {(one["by"], one["value"]): one["verdict"] for one in report["slices"]}
    assert verdicts["label", "refund"] == verdicts["group", "group True"] == "worse"
    assert verdicts["label", "parcel"] == verdicts["group", "group False"] == ""
    assert {"label", "length", "group"} <= {by for by, _ in verdicts}
    assert "source" not in {by for by, _ in verdicts}, "all are of one file"
    without = {by: told["without"] for by, told in report["left_out"].items()}
    assert without.pop("language") > 0, "as some are too short to tell"
    assert without == dict.fromkeys(("label", "length", "source", "group"), 0)
    assert report["looks"] == len(verdicts) and report["by_chance"] == round(0.05 * len(verdicts), 1)
    assert line.startswith("dpo lost label_accuracy on 40 rows and won it on 0; worse in ")


def test_regressions_stand_beside_the_nearest_training_rows_and_their_raw_lines(inputs: examine.Inputs) -> None:
    _, report, regressions, _ = run(inputs)

    assert (report["regressions"], report["improvements"], report["shown"]) == (40, 0, 3)
    refunds = [row for row in TESTS if is_refund(row)]
    assert [one["id"] for one in regressions] == [row.id for row in refunds[:3]]
    first = regressions[0]
    assert (first["lost"], first["expected"], first["answer"], first["against"]) == (
        1.0, labelled("refund"), labelled("parcel"), labelled("right"),
    )  # fmt: skip
    assert first["slices"]["label"] == "refund" and first["slices"]["source"] == "golden.jsonl"
    assert first["places"] == [f"golden.jsonl:{TESTS.index(refunds[0]) + 1}"]
    nearest, pair = first["nearest"]
    assert (nearest["id"], nearest["answer"], nearest["places"]) == (
        WRONG.id, labelled("parcel"), ["a.jsonl:12", "b.csv:7"],
    )  # fmt: skip
    assert nearest["similarity"] > pair["similarity"] > 0.5
    assert (pair["id"], pair["rejected"], "rejected" in nearest) == (PAIR.id, labelled("refund"), False)
    assert sorted(report["training_rows"], key=lambda row: len(row["places"])) == [
        {"id": PAIR.id, "regressions": 3, "places": []},
        {"id": WRONG.id, "regressions": 3, "places": ["a.jsonl:12", "b.csv:7"]},
    ]


def test_what_a_person_mends_ingest_takes_back(inputs: examine.Inputs, tmp_path: Path) -> None:
    *_, mend = run(inputs)

    as_it_is = ingested(tmp_path / "1", {"mend.train.jsonl": mend.read_text()})
    assert {row.id for row in rows_of(as_it_is, tmp_path / "1")} == {WRONG.id, PAIR.id}
    mended = mend.read_text().replace('{\\"intent\\": \\"parcel\\"}', '{\\"intent\\": \\"refund\\"}', 1)
    found = rows_of(ingested(tmp_path / "2", {"mend.train.jsonl": mended}), tmp_path / "2")
    assert {row.split for row in found} == {"train"}
    assert len({row.id for row in found} - {WRONG.id, PAIR.id}) == 1


def test_small_slices_are_counted_and_not_measured(inputs: examine.Inputs) -> None:
    _, report, _, _ = run(inputs, min_rows=50)

    assert [one for one in report["slices"] if one["by"] == "label"] == []
    assert report["left_out"]["label"] == {"small": 2, "rows": 80, "without": 0}


def test_a_model_that_lost_nothing_has_no_regressions(inputs: examine.Inputs) -> None:
    better = inputs._replace(answers=inputs.others, others=inputs.answers)
    line, report, regressions, mend = run(better)

    assert (report["regressions"], report["improvements"], regressions, mend.read_text()) == (0, 40, [], "")
    assert line.endswith("0 rows beside 0 training rows")


def test_languages_are_those_of_rows_with_enough_words() -> None:
    german = make_row(Text("Die Lieferung ist noch nicht angekommen, obwohl sie gestern hier sein sollte."))
    english = make_row(Text("The delivery has not arrived yet, though it should have been here yesterday."))

    assert dict(examine.languages([german, english, make_row(Text("Nein"))])) == {
        german.id: ("de",), english.id: ("en",),
    }  # fmt: skip


def test_texts_stand_beside_texts(inputs: examine.Inputs, tmp_path: Path) -> None:
    texts = [make_row(Text(f"The parcel of customer {n} is late")) for n in (1, 2)]
    jsonl.write(inputs.rows, texts)
    jsonl.write(tmp_path / "mixed/text.jsonl", [make_row(Text("The parcel of customer 7 is late"))])
    declared = {"bits_per_byte": {"better": "lower", "least": 0, "most": None, "source": ""}}
    inputs.scores.write_text(json.dumps({"declared": declared}))
    for file, bits in ((inputs.answers, 3.0), (inputs.others, 2.0)):
        scoring.write(file, [
            scoring.Answer(row.id, "", row.content.text, "", {"bits_per_byte": (bits, 1.0)})
            for row in sorted(texts, key=lambda row: row.id)
        ])  # fmt: skip
    outputs = examine.Outputs(*(tmp_path / name for name in ("out.json", "out.jsonl", "out.train.jsonl")))

    examine.main(inputs, outputs, "dpo", "chat", params(metric="bits_per_byte"), TextSuite(["bits_per_byte"]), DEDUP)

    assert json.loads(outputs.mend.read_text()) == {"text": "The parcel of customer 7 is late"}


def test_answers_to_other_rows_are_an_error(inputs: examine.Inputs) -> None:
    scoring.write(inputs.others, [])

    with pytest.raises(UserError, match=r"sft.jsonl: ids differ from those of .*: want answers to these"):
        run(inputs)
