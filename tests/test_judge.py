"""The stage: a line for each row, scores that compare takes like any, corrected where people's marks count."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelmake.errors import UserError
from stages import compare, judge
from stages.augmenting.requests import Prompts
from stages.evaluating import answer_file, scoring
from stages.evaluating.answer_file import Given
from stages.evaluating.judging import calibration, people, published
from stages.evaluating.judging.agreement import Estimate
from stages.evaluating.judging.calibration import Calibration
from stages.params.evaluation import Compare, Evaluate
from stages.rows import accounting, jsonl
from stages.rows.row import Chat, Message, make_row
from tests.augmenting.endpoints import Proxy
from tests.evaluating.judging import judges
from tests.evaluating.judging.judges import PAIRWISE, POINTWISE

ALONE, BY_PEOPLE = "judged.kindness", "judged_corrected.kindness"
ROWS = sorted(
    (
        make_row(Chat([Message("user", question), Message("assistant", text)]))
        for question, text in judges.EXPECTED.items()
    ),
    key=lambda row: row.id,
)
QUESTIONS = [row.content.messages[0].content for row in ROWS]
RIGHT, WRONG = judges.EXPECTED, {"Tea?": "Cold.", "Pie?": "Soon."}
SURE = Estimate(1.0, 1.0, 1.0, 2)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rows, prompts, no calibrations; sft is right, base says the other thing of tea."""
    monkeypatch.chdir(tmp_path)
    jsonl.write(Path("rows.jsonl"), ROWS)
    judges.prompts(Path("prompts"))
    Path("calibrations").mkdir()
    Path("evaluate").mkdir()
    give("sft", RIGHT)
    give("base", RIGHT | {"Tea?": WRONG["Tea?"]})
    return tmp_path


def give(model: str, texts: dict[str, str]) -> None:
    """Writes a model's answers, and what `evaluate` made of them."""
    rows = zip(ROWS, QUESTIONS, strict=True)
    answer_file.write(Path(f"{model}.jsonl"), [Given(row.id, [texts[question]]) for row, question in rows])
    scored = [
        scoring.Answer(row.id, question, judges.EXPECTED[question], texts[question], {"exact_match": (1.0, 1.0)})
        for row, question in zip(ROWS, QUESTIONS, strict=True)
    ]
    scoring.write(Path(f"evaluate/{model}-chat.jsonl"), scored)
    declared = {"exact_match": {"better": "higher", "least": 0, "most": 1, "source": ""}}
    accounting.write_json(Path(f"evaluate/{model}-chat.json"), {"rows": len(ROWS), "declared": declared})


def run(url: str, model: str = "sft", **values: Any) -> tuple[str, dict[str, Any], list[published.JudgedRow]]:
    """(line of counts, scores, judged rows)."""
    item = Path(f"evaluate/{model}-chat.judge")
    line = judge.main(
        Path("rows.jsonl"), Path(f"{model}.jsonl"), Path("base.jsonl"), Path("calibrations"), Path("prompts"),
        item.with_suffix(".judge.jsonl"), item.with_suffix(".judge.json"), Path("archive"), model, "chat",
        judges.judge(url, **values),
    )  # fmt: skip
    return (
        line,
        json.loads(item.with_suffix(".judge.json").read_text()),
        published.read(item.with_suffix(".judge.jsonl")),
    )


def calibrate(url: str, marks: dict[str, str], model: str = "sft", rubric: str = "kindness", **values: Any) -> None:
    """Writes people's marks of the answers to some questions: {question: mark}."""
    settings = judges.judge(url, **values)
    own, others = (judge.spoken(ROWS, Path(f"{name}.jsonl")) for name in (model, "base"))
    shown = people.shown(settings.rubrics[rubric], own, others, seed=0)
    given = {item.id: marks[own[item.rows[0]].prompt] for item in shown if own[item.rows[0]].prompt in marks}
    bound = calibration.binding(settings, rubric, Prompts(Path("prompts")))
    found = Calibration(bound, 0, {model: given}, {model: SURE}, SURE, None)
    calibration.path(Path("calibrations"), "chat", rubric).write_bytes(msgspec.json.encode(found))


def test_rows_have_marks_and_scores_in_their_order(folder: Path, judge_url: str) -> None:
    line, scores, rows = run(f"{judge_url}/v1")

    assert line == "2 rows: kindness 0.500, calibration none"
    assert [row.id for row in rows] == [row.id for row in ROWS]
    marks = {question: row.marks["kindness"] for question, row in zip(QUESTIONS, rows, strict=True)}
    assert marks == {"Tea?": ["good"], "Pie?": ["bad"]}
    assert {question: row.scores[ALONE] for question, row in zip(QUESTIONS, rows, strict=True)} == {
        "Tea?": (1, 1), "Pie?": (0, 1),
    }  # fmt: skip
    assert (scores["rows"], scores["metrics"]) == (2, {ALONE: 0.5})
    assert scores["declared"].keys() == {ALONE, BY_PEOPLE}
    assert scores["rubrics"]["kindness"]["unjudged"] == {}


def test_peoples_marks_correct_the_score_until_judge_prompt_or_rubric_change(folder: Path, judge_url: str) -> None:
    """The judge found pie bad; people find it good: 0.5 + (0 + 1) / 2."""
    url = f"{judge_url}/v1"
    calibrate(url, {"Tea?": "good", "Pie?": "good"})

    line, scores, _ = run(url)
    assert line == "2 rows: kindness 0.500, corrected 1.000 by people's marks of 2, calibration fresh"
    assert scores["metrics"] == {ALONE: 0.5, BY_PEOPLE: 1.0}

    again = {"criteria": "kind", "marks": ["bad", "fair", "good"]}
    for changes, what in (
        ({"temperature": 0.1, "max_unjudged_fraction": 1.0}, "judge"),
        ({"rubrics": {"kindness": POINTWISE | again}, "max_unjudged_fraction": 1.0}, "rubric"),
    ):
        line, scores, rows = run(url, **changes)
        assert line.endswith(f"calibration stale: another {what}") and BY_PEOPLE not in scores["metrics"]
        assert all(row.scores[BY_PEOPLE] == (0, 0, 0, 0, 0) for row in rows)
    Path("prompts/pointwise.txt").write_text(f"{judges.PROMPTS['pointwise.txt']} \n")
    assert run(url)[0].endswith("calibration fresh"), "white space around a prompt is not sent"
    Path("prompts/pointwise.txt").write_text(f"{judges.PROMPTS['pointwise.txt']}!\n")
    assert run(url, max_unjudged_fraction=1.0)[0].endswith("calibration stale: another prompt")
    line, _, _ = run(url, timeout_s=29.0, parallel=1, max_requests=7, retries=1, max_unjudged_fraction=1.0)
    assert line.endswith("calibration stale: another prompt"), "how requests are sent is no other judge"


def test_marks_of_one_model_do_not_correct_another(folder: Path, judge_url: str) -> None:
    calibrate(f"{judge_url}/v1", {"Tea?": "good", "Pie?": "good"}, model="base")

    line, scores, _ = run(f"{judge_url}/v1")

    assert line == "2 rows: kindness 0.500, calibration fresh" and BY_PEOPLE not in scores["metrics"]


def test_pairs_are_corrected_where_answers_differ(folder: Path, judge_url: str) -> None:
    """Of two questions one has equal answers, 0.5; of the other the judge prefers sft, 1, and people neither, 0.5."""
    values = {"rubrics": {"better": PAIRWISE}}
    calibrate(f"{judge_url}/v1", {"Tea?": "equal"}, rubric="better", **values)

    _, scores, rows = run(f"{judge_url}/v1", **values)

    assert scores["metrics"] == {"judged.better": 0.75, "judged_corrected.better": 0.5}
    assert sorted(row.marks["better"] for row in rows) == [[], ["first", "second"]]
    _, of_base, _ = run(f"{judge_url}/v1", "base", **values)
    assert of_base["metrics"] == {"judged.better": 0.5}, "against itself"


def test_too_many_answers_without_a_mark_stop_the_stage(folder: Path, judge_url: str) -> None:
    give("sft", WRONG)
    unmarked = ROWS[QUESTIONS.index("Pie?")].id
    with pytest.raises(UserError) as error:
        run(f"{judge_url}/v1")

    assert str(error.value) == (
        "evaluate.judge.chat.max_unjudged_fraction = 0: 1 of 2 answers have no mark by kindness (no_verdict 1): "
        f"{unmarked}: want a judge that answers as the prompt asks, or room in max_tokens"
    )
    line, scores, rows = run(f"{judge_url}/v1", max_unjudged_fraction=0.5)
    assert line == "2 rows: kindness 0.000, 1 without a mark, calibration none"
    assert scores["rubrics"]["kindness"]["unjudged"] == {"no_verdict": 1}
    assert next(row for row in rows if row.id == unmarked) == published.JudgedRow(
        unmarked, {}, {ALONE: (0, 0), BY_PEOPLE: (0, 0, 0, 0, 0)}
    )


def test_a_rebuild_asks_nothing_and_writes_the_same_bytes(folder: Path, judge_url: str) -> None:
    with Proxy(judge_url) as proxy:
        run(proxy.url)
        first = {path.name: path.read_bytes() for path in Path("evaluate").iterdir()}
        calibrate(proxy.url, {"Tea?": "good", "Pie?": "good"})
        run(proxy.url)  # other numbers, the same requests
        assert len(proxy.requests) == 2
        next(Path("calibrations").iterdir()).unlink()
    run(proxy.url)  # the proxy is gone

    assert {path.name: path.read_bytes() for path in Path("evaluate").iterdir()} == first


def params() -> Compare:
    return Compare(
        suite="chat", baseline="base", bootstrap_samples=100, confidence=0.95, looks=1, power=0.8, seed=1, min_rows=1,
        gates={},
    )  # fmt: skip


def test_compare_takes_judged_scores_like_any(folder: Path, judge_url: str) -> None:
    url = f"{judge_url}/v1"
    calibrate(url, {"Tea?": "good", "Pie?": "good"})
    evaluate = Evaluate(models=["base", "sft"], suites=["chat"], judge={"chat": judges.judge(url)})
    for model in evaluate.models:
        run(url, model)

    compared = compare.compare(compare.read(Path("evaluate"), evaluate)["chat"], params())

    assert compared["sft"][ALONE]["value"] == 0.5 and compared["sft"][ALONE]["difference"] == 0.5
    assert compared["sft"][BY_PEOPLE]["value"] == 1.0 and compared["sft"][BY_PEOPLE]["source"].startswith(
        "Angelopoulos"
    )
    assert BY_PEOPLE not in compared["base"], "nobody marked its answers"
    assert compared["base"]["exact_match"]["value"] == 1


def test_compare_refuses_what_nobody_judges_any_more_and_marks_of_other_rows(folder: Path, judge_url: str) -> None:
    evaluate = Evaluate(models=["sft"], suites=["chat"])
    compare.read(Path("evaluate"), Evaluate(models=["base", "sft"], suites=["chat"]))
    run(f"{judge_url}/v1")
    for model in ("jsonl", "json"):
        Path(f"evaluate/base-chat.{model}").unlink()

    with pytest.raises(UserError) as error:
        compare.read(Path("evaluate"), evaluate)

    assert str(error.value) == (
        "evaluate: sft-chat.judge.json, sft-chat.judge.jsonl: judged, but nobody judges these in params.yaml any more: "
        "`rm evaluate/sft-chat.judge.json evaluate/sft-chat.judge.jsonl`"
    )
    path = Path("evaluate/sft-chat.judge.jsonl")
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    judged = msgspec.structs.replace(evaluate, judge={"chat": judges.judge("http://h")})
    with pytest.raises(
        UserError, match=r"sft-chat.judge.jsonl: ids differ from those of sft-chat.jsonl: want the same "
    ):
        compare.read(Path("evaluate"), judged)
