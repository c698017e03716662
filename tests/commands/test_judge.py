"""`modelmake judge calibrate`: sheets for people, and what their marks say of the judge; nothing is asked."""

import argparse
import csv
import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from modelmake import params
from modelmake.errors import UserError
from stages.commands import judge
from stages.commands.judge import Judged
from stages.evaluating import scoring
from stages.evaluating.judging import calibration, people, published
from stages.evaluating.judging.published import JudgedRow
from stages.evaluating.scoring import Answer
from stages.params.judging import Pairwise
from stages.reporting import reviews
from stages.rows import accounting
from tests.conftest import ROOT
from tests.evaluating.judging import judges

COUNT = 40
BOUND = {"judge": "j", "prompt": "p", "rubric": "r"}
MODELS = ("base", "sft", "dpo")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build in which a judge found every third answer of each model bad, and preferred its first place half the time.

    To question 0 all models gave the same answer.
    """
    monkeypatch.chdir(tmp_path)
    values = params.load(ROOT / "params.yaml")
    rubrics = {"kindness": judges.POINTWISE, "better": judges.PAIRWISE}
    values["evaluate"]["judge"] = {"chat": judges.entry("http://127.0.0.1:1/v1", rubrics=rubrics)}
    with Path("params.yaml").open("w") as file:
        YAML().dump(values, file)
    (tmp_path / "stages").symlink_to(ROOT / "stages")
    folder = Path("reports/evaluate")
    folder.mkdir(parents=True)
    for model in MODELS:
        texts = ["the same"] + [f"{model} says {'=' * (i % 7)}{i}" for i in range(1, COUNT)]
        given = [Answer(f"id{i}", f"Which {i}?", "=this", text, {}) for i, text in enumerate(texts)]
        scoring.write(folder / f"{model}-chat.jsonl", given)
        rows = [JudgedRow(f"id{i}", marks_of(model, i), {}) for i in range(COUNT)]
        published.write(folder / f"{model}-chat.judge.jsonl", rows)
        bindings = {name: {"binding": BOUND} for name in ("kindness", "better")}
        others = given if model == "base" else scoring.read(folder / "base-chat.jsonl")
        answers = calibration.of_answers(given, others)
        accounting.write_json(folder / f"{model}-chat.judge.json", {"answers": answers, "rubrics": bindings})
    return tmp_path


def marks_of(model: str, row: int) -> dict[str, list[str]]:
    pair = [] if not row or model == "base" else ["first", "first"] if row % 2 else ["first", "second"]
    return {"kindness": ["good" if row % 3 else "bad"], "better": pair}


def run(project: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    judge.arguments(parser)
    options = parser.parse_args(["calibrate", *words])
    options.here = project
    return judge.run(options)


def save(folder: str, name: str, verdicts: dict[str, str]) -> None:
    """A CSV file that somebody saved."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    lines = ["id,verdict,note", *(f"{id},{verdict}," for id, verdict in verdicts.items())]
    Path(folder, f"{name}.csv").write_text("\r\n".join(lines))


def sheet(model: str) -> list[dict[str, str]]:
    with Path(f"reviews/{model}-chat-kindness-r.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def kept(rubric: str) -> dict[str, Any]:
    return json.loads(Path(f"data/judge/chat.{rubric}.json").read_text())


def test_without_marks_there_are_sheets_and_a_way_on(project: Path) -> None:
    with pytest.raises(UserError) as error:
        run(project, "chat", "kindness", "--rows", "25")

    lines = str(error.value).splitlines()
    assert lines[0] == f"base: 0 of {COUNT} marked in reviews/base-chat-kindness-r/"
    assert lines[3] == (
        "judge: no marks of people: want some; write bad or good as verdicts into a sheet, and save it by your name in "
        "the folder beside it"
    )
    rows = sheet("sft")
    assert len(rows) == 25 and set(rows[0]) == {"id", "question", "expected", "answer", "verdict", "note"}
    assert {row["verdict"] for row in rows} == {""} and {row["expected"] for row in rows} == {"'=this"}
    assert not Path("data/judge").exists()


def test_marks_of_single_answers_give_agreement_kappa_and_the_bias_by_length(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """People agree with the judge but on every tenth answer that they mark, which they find good and it bad."""
    with pytest.raises(UserError):
        run(project, "chat", "kindness", "--rows", "30")
    asked = sheet("sft")
    number = {row["id"]: int(row["question"].split()[1].strip("?")) for row in asked}
    mine = {id: "good" if n % 3 else "bad" for id, n in number.items()}
    turned = [id for id, verdict in mine.items() if verdict == "bad"][:3]
    save("reviews/sft-chat-kindness-r", "anna", mine | dict.fromkeys(turned, "good"))

    assert run(project, "chat", "kindness", "--rows", "30") == 0

    found, lines = kept("kindness"), capsys.readouterr().out.splitlines()
    assert (found["agreement"]["sft"]["value"], found["agreement"]["sft"]["of"]) == (0.9, 30)
    assert found["binding"] == BOUND and found["seed"] == 0
    assert list(found["marks"]) == ["sft"] and len(found["marks"]["sft"]) == 30
    bad = sum(verdict == "bad" for verdict in mine.values())
    chance = (bad / 30) * ((bad - 3) / 30) + (1 - bad / 30) * (1 - (bad - 3) / 30)
    assert found["kappa"]["value"] == pytest.approx((0.9 - chance) / (1 - chance), abs=1e-4)
    assert found["verbosity"] and "position" not in found
    assert lines[1] == "sft: 30 of 40 marked in reviews/sft-chat-kindness-r/"
    assert lines[3].startswith("agreement on sft 0.900 (0.744 to 0.965) of 30: enough for a gate")
    assert lines[-1] == "written: data/judge/chat.kindness.json; `dvc repro` uses it"


def test_a_gap_in_the_order_and_marks_of_old_answers_do_not_count(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError):
        run(project, "chat", "kindness")
    ids = [row["id"] for row in sheet("dpo")]
    save("reviews/dpo-chat-kindness-r", "ben", dict.fromkeys([*ids[:10], *ids[11:15], "f" * 24], "good"))

    run(project, "chat", "kindness")

    assert list(kept("kindness")["marks"]["dpo"]) == ids[:10]
    assert capsys.readouterr().out.splitlines()[2] == (
        "dpo: 10 of 40 marked in reviews/dpo-chat-kindness-r/; 1 marks are of other answers; 4 marks do not count, as "
        "number 11 in their order has none"
    )


def test_choices_of_a_blind_review_calibrate_pairs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The judge prefers sft wherever it is asked about an even question, and neither of odd ones; people always sft."""
    own, others = (scoring.read(Path(f"reports/evaluate/{model}-chat.jsonl")) for model in ("sft", "base"))
    pairs = reviews.pairs(own, others, seed=0)
    assert len(pairs) == COUNT - 1
    save("reviews/base-sft-chat-better-r", "anna", {pair.id: pair.first for pair in pairs})

    assert run(project, "chat", "better") == 0

    found, lines = kept("better"), capsys.readouterr().out.splitlines()
    agreement = found["agreement"]["sft"]
    assert agreement["value"] == round(19 / 39, 4) and agreement["of"] == 39 and len(found["agreement"]) == 1
    assert found["kappa"]["value"] == 0, "people gave one mark to all, so that agreement is chance"
    assert (found["position"]["value"], found["position"]["of"]) == (round(40 / 78 * 0.5, 4), 78)
    assert found["consistency"]["value"] == round(38 / 78, 4)
    assert found["marks"] == {"sft": {pair.id: pair.first for pair in pairs}}
    assert lines[0] == "sft: 39 of 39 marked in reviews/base-sft-chat-better-r/"
    assert "too little for a gate, which wants 0.8" in lines[2]
    assert not Path("reviews/sft-chat-better-r.csv").exists()


def test_marks_in_a_sheet_are_never_written_over(project: Path) -> None:
    with pytest.raises(UserError):
        run(project, "chat", "kindness", "--rows", "3")
    path = Path("reviews/sft-chat-kindness-r.csv")
    filled = path.read_text("utf-8-sig").replace(",,\n", ",good,\n", 1).replace(",", ";")  # as some spreadsheets save
    path.write_text(filled)

    with pytest.raises(UserError) as error:
        run(project, "chat", "kindness", "--seed", "1")

    folder = "reviews/sft-chat-kindness-r"
    assert str(error.value) == (
        f"{path}: has verdicts, and would be written anew: want them in {folder}/, in a file by the name of who "
        f"marked: `mkdir -p {folder}; mv {path} {folder}/NAME.csv`"
    )
    assert path.read_text() == filled
    Path(folder).mkdir()
    path.rename(f"{folder}/anna.csv")
    assert run(project, "chat", "kindness") == 0 and len(kept("kindness")["marks"]["sft"]) == 1


@pytest.mark.parametrize("rubric", ["kindness", "better"])
@pytest.mark.parametrize("model", ["sft", "base"])
def test_marks_of_other_answers_than_the_judge_saw_are_not_held_against_it(
    project: Path, model: str, rubric: str
) -> None:
    """A training later there are as many answers to the same rows."""
    path = Path(f"reports/evaluate/{model}-chat.jsonl")
    given = scoring.read(path)
    scoring.write(path, [msgspec.structs.replace(given[0], answer="retrained"), *given[1:]])

    with pytest.raises(UserError) as error:
        run(project, "chat", rubric)

    item = "base-chat" if (model, rubric) == ("base", "kindness") else "sft-chat"
    assert str(error.value) == f"reports/evaluate: {item}: other answers were judged: run `dvc repro judge@{item}`"


def test_marks_by_other_criteria_bear_out_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError):
        run(project, "chat", "kindness")
    save("reviews/sft-chat-kindness-r", "anna", {row["id"]: "good" for row in sheet("sft")})
    assert run(project, "chat", "kindness") == 0
    for model in MODELS:
        path = Path(f"reports/evaluate/{model}-chat.judge.json")
        path.write_text(path.read_text().replace('"r"', '"sharper criteria"'))

    with pytest.raises(UserError, match=r"sft: 0 of 40 marked in reviews/sft-chat-kindness-sharper /"):
        run(project, "chat", "kindness")


def test_choices_for_one_rubric_of_pairs_bear_out_no_other(project: Path) -> None:
    own, others = (scoring.read(Path(f"reports/evaluate/{model}-chat.jsonl")) for model in ("sft", "base"))
    save("reviews/base-sft-chat-shorter-r", "anna", {p.id: p.first for p in reviews.pairs(own, others, seed=0)})

    with pytest.raises(UserError) as error:
        run(project, "chat", "better")

    assert str(error.value).splitlines()[-1] == (
        "judge: no marks of people: want some; `modelmake review sft base --suite chat --page "
        "reviews/base-sft-chat-better-r.html` or `modelmake review dpo base --suite chat --page "
        "reviews/base-dpo-chat-better-r.html`"
    )


def test_what_was_written_is_what_the_stage_counts(project: Path) -> None:
    own, others = (scoring.read(Path(f"reports/evaluate/{model}-chat.jsonl")) for model in ("dpo", "base"))
    pairs = reviews.pairs(own, others, seed=5)
    save("reviews/base-dpo-chat-better-r", "anna", {pair.id: "equal" for pair in pairs[:12]})
    run(project, "chat", "better", "--seed", "5")

    found = calibration.read(Path("data/judge/chat.better.json"))

    assert found is not None and found.seed == 5
    counted = people.counted(people.shown(Pairwise("kind"), own, others, found.seed), found.marks["dpo"])
    assert [item.id for item in counted] == [pair.id for pair in pairs[:12]]


def test_answers_without_a_mark_of_the_judge_are_told_and_left_out(project: Path) -> None:
    own = judges.answers(("Tea?", "Hot."), ("Tea?", "Cold."))
    rubric = judges.judge("http://h").rubrics["kindness"]
    shown = people.shown(rubric, own, own, seed=0)
    judged = Judged(own, own, [["good"], None], shown, {item.id: "good" for item in shown}, shown)

    assert [case.error for case in judge.cases_of(rubric, judged)] == [0]
    assert judge._told("sft", Path("x"), judged) == "sft: 2 of 2 marked in x/; 1 of them without a mark of the judge"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none", "kindness"], "judge: 'none': want one of chat, as evaluate.judge has them"),
        (["chat", "none"], "judge: 'none': want one of kindness, better, as evaluate.judge.chat.rubrics has them"),
        (["chat", "kindness", "--rows", "0"], "judge: --rows 0: want 1 or more"),
    ],
)
def test_what_cannot_be_calibrated_is_told(project: Path, words: list[str], message: str) -> None:
    with pytest.raises(UserError) as error:
        run(project, *words)

    assert str(error.value) == message


def test_a_build_that_lacks_something_is_told(project: Path) -> None:
    Path("reports/evaluate/sft-chat.judge.json").unlink()
    with pytest.raises(UserError) as error:
        save("reviews/dpo-chat-kindness-r", "ben", {people.shown(
            judges.judge("http://h").rubrics["kindness"], scoring.read(Path("reports/evaluate/dpo-chat.jsonl")), [], 0
        )[0].id: "good"})  # fmt: skip
        run(project, "chat", "kindness")
    assert str(error.value) == "reports/evaluate/sft-chat.judge.json: not there yet: run `dvc repro judge@sft-chat`"

    shutil.copy(ROOT / "params.yaml", "params.yaml")
    with pytest.raises(UserError, match=r"^judge: params.yaml has no evaluate.judge: want one; docs/judge.md$"):
        run(project, "chat", "kindness")
