"""Checks of judges, and of gates on what they say: each mismatch is one exact line, before anything runs."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelmake import params
from stages import preflight
from stages.augmenting.requests import Prompts
from stages.evaluating.judging import calibration
from stages.evaluating.judging.agreement import Estimate
from stages.evaluating.judging.calibration import Calibration
from stages.params import judging_checks
from stages.params.judging import Judge
from tests.conftest import ROOT
from tests.evaluating.judging import judges

PARAMS = params.load(ROOT / "params.yaml")
ENTRY = judges.entry("http://127.0.0.1:8080/v1", rubrics={"kindness": judges.POINTWISE, "better": judges.PAIRWISE})
GATE = {"model": "sft", "metric": "judged_corrected.kindness", "against": None, "bound": 0.5, "where": None}
WHERE = "compare.gates.kind.metric = 'judged_corrected.kindness'"
AGAIN = "`modelmake judge calibrate chat kindness`"
WAY_ON = f"take the gate out, build, run {AGAIN}, put it back"
MORE = f"want 30 or more; mark more and run {AGAIN}; if answers changed since, {WAY_ON}"
OTHER = f"{WHERE}: data/judge/chat.kindness.json is of another {{}}: {WAY_ON}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stages/evaluating/judging").mkdir(parents=True)
    (tmp_path / "stages/evaluating/judging/prompts").symlink_to(ROOT / "stages/evaluating/judging/prompts")
    (tmp_path / "data/judge").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def judged(values: dict[str, Any], **changes: Any) -> None:
    values["evaluate"]["judge"] = {"chat": ENTRY | changes}


def gated(values: dict[str, Any], **changes: Any) -> None:
    judged(values)
    values["compare"]["gates"] = {"kind": GATE | changes}


def decoded(change: Callable[[dict[str, Any]], Any]) -> tuple[dict[str, Any], list[str]]:
    values = copy.deepcopy(PARAMS)
    change(values)
    return preflight.decode(values)


def problems(change: Callable[[dict[str, Any]], Any]) -> list[str]:
    chapters, found = decoded(change)
    assert found == []
    return judging_checks.problems(chapters)


def calibrate(agreement: float = 0.9, marks: int = 30, rubric: str = "kindness", **changes: Any) -> None:
    """A calibration of sft's answers, of a judge with some changes."""
    judge = msgspec.convert(ENTRY | changes, Judge)
    estimate = Estimate(agreement, 0.0, 1.0, 50)
    bound = calibration.binding(judge, rubric, Prompts(Path("stages/evaluating/judging/prompts")))
    given = {f"{i:024x}": "good" for i in range(marks)}
    sure = Estimate(1.0, 1.0, 1.0, 50)
    found = Calibration(bound, 0, {"sft": given, "base": given}, {"sft": estimate, "base": sure}, estimate, None)
    calibration.path(Path("data/judge"), "chat", rubric).write_bytes(msgspec.json.encode(found))


def test_a_project_without_a_judge_needs_no_entry() -> None:
    def without(values: dict[str, Any]) -> None:
        values["evaluate"].pop("judge", None)

    chapters, found = decoded(without)

    assert found == [] and chapters["evaluate"].judge == {} and judging_checks.problems(chapters) == []


def test_a_gate_on_what_people_bear_out_is_no_problem() -> None:
    calibrate()

    assert problems(gated) == problems(judged) == []


@pytest.mark.parametrize(
    ("calibrated", "change", "line"),
    [
        (None, {}, f"{WHERE}: no data/judge/chat.kindness.json: want people's marks; {WAY_ON}"),
        ({"agreement": 0.79}, {}, f"{WHERE}: the judge agrees with people on 0.79 of 50 answers of sft: want 0.8 or "
         f"more; sharpen the criteria, or take another judge; {WAY_ON}"),
        ({"marks": 29}, {}, f"{WHERE}: people marked 29 answers of sft: {MORE}"),
        ({}, {"against": "dpo"}, f"{WHERE}: people marked 0 answers of dpo: {MORE}"),
        ({"model": "old"}, {}, OTHER.format("judge")),
        ({"temperature": 0.5}, {}, OTHER.format("judge")),
        ({"rubrics": {"kindness": judges.POINTWISE | {"criteria": "kind and short"}}}, {},
         OTHER.format("rubric")),
        ({}, {"metric": "judged.kindness"}, "compare.gates.kind.metric = 'judged.kindness': want "
         "'judged_corrected.kindness': how far a judge errs, no number of rows tells"),
        ({}, {"where": {"intent": "refund"}},
         "compare.gates.kind.where: want null: people marked a sample of all answers, not of these"),
        ({}, {"metric": "judged_corrected.better", "against": "base"},
         "compare.gates.kind: model or against = 'base': want others: pairs are made with compare.baseline"),
    ],
)  # fmt: skip
def test_each_reason_against_a_gate_is_one_exact_line(
    calibrated: dict[str, Any] | None, change: dict[str, Any], line: str
) -> None:
    if calibrated is not None:
        calibrate(**calibrated)

    assert problems(lambda values: gated(values, **change)) == [line]


def test_a_judge_that_errs_on_a_model_outside_of_the_gate_is_no_reason_against_it() -> None:
    calibrate(agreement=0.5)

    assert problems(lambda values: gated(values, model="base")) == []


def test_another_prompt_makes_a_calibration_stale(folder: Path) -> None:
    calibrate()
    (folder / "stages/evaluating/judging/prompts").unlink()
    judges.prompts(folder / "stages/evaluating/judging/prompts")

    assert problems(gated) == [OTHER.format("prompt")]


def test_a_gate_in_another_suite_looks_at_its_own_judge() -> None:
    def change(values: dict[str, Any]) -> None:
        values["suites"]["golden"], values["answer"]["golden"] = values["suites"]["chat"], values["answer"]["chat"]
        values["evaluate"]["suites"].append("golden")
        values["evaluate"]["judge"] = {"golden": ENTRY}
        values["compare"]["gates"] = {"kind": GATE | {"metric": "golden.judged_corrected.kindness"}}

    (line,) = problems(change)

    assert "no data/judge/golden.kindness.json: want people's marks; take the gate out, build, run `modelmake" in line
    assert "`modelmake judge calibrate golden kindness`" in line


def test_a_judge_of_no_suite_or_of_samples_is_told() -> None:
    def sampled(values: dict[str, Any]) -> None:
        judged(values)
        values["answer"]["chat"] = {
            "kind": "sampled", "max_new_tokens": 8, "batch_size": 1, "num_return_sequences": 2, "temperature": 1.0,
            "top_k": None, "top_p": 1.0, "seed": 1,
        }  # fmt: skip

    assert problems(sampled) == [
        "evaluate.judge.chat: answer.chat.kind = 'sampled': want 'greedy': one answer to a row is judged"
    ]
    assert problems(lambda values: values["evaluate"].update(judge={"none": ENTRY})) == [
        "evaluate.judge.none: no such suite: want one of chat"
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"api": "anthropic"}, "seed = 1: want null: Anthropic's messages have none"),
        ({"base_url": "ftp://h"},
         "base_url: want http(s)://host[:port]/path, such as http://127.0.0.1:8080/v1, without user or query"),
        ({"rubrics": {}}, "rubrics: is empty: want at least one"),
        ({"rubrics": {"So kind": judges.POINTWISE}},
         "rubrics: name 'So kind': want only letters, digits and _ ([A-Za-z0-9_]+); rename it"),
        ({"rubrics": {"kindness": judges.POINTWISE | {"marks": ["bad"]}}},
         "rubrics.kindness.marks: found 1, want 2 or more, worst first"),
        ({"rubrics": {"kindness": judges.POINTWISE | {"marks": ["bad", "bad"]}}},
         "rubrics.kindness.marks: 'bad' is there 2 times"),
        ({"rubrics": {"kindness": judges.POINTWISE | {"marks": ["Bad", "good"]}}},
         "rubrics.kindness.marks: 'Bad': want [a-z0-9_]+"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_entry_is_one_exact_line(changes: dict[str, Any], line: str) -> None:
    _, found = decoded(lambda values: judged(values, **changes))

    assert found == [f"params.yaml: evaluate.judge.chat.{line}"]
