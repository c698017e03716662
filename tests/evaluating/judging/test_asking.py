"""A real llama.cpp judges: marks are read from what it says, pairs are asked in both orders, nothing is asked twice."""

from pathlib import Path
from typing import Any

import pytest

from modelmake.errors import UserError
from stages.augmenting.requests import Prompts
from stages.evaluating.judging import asking
from stages.evaluating.judging.asking import Marked
from stages.params.judging import Pairwise, Pointwise
from tests.augmenting.endpoints import Proxy
from tests.conftest import ROOT
from tests.evaluating.judging import judges
from tests.evaluating.judging.judges import PAIRWISE, POINTWISE, answers

GOOD, BAD = ("Tea?", "Hot."), ("Tea?", "Cold.")
NOW, SOON = ("Pie?", "Now."), ("Pie?", "Soon.")
KIND = Pointwise("kind", ["bad", "good"])


def mark(url: str, folder: Path, own: list[Any], others: list[Any], **values: Any) -> dict[str, list[Marked]]:
    prompts = Prompts(judges.prompts(folder / "prompts"))
    return asking.mark(
        answers(*own), answers(*others), judges.judge(url, **values), prompts, folder / "archive", "here"
    )


@pytest.mark.parametrize("api", [{"api": "openai"}, {"api": "anthropic", "seed": None}], ids=["openai", "anthropic"])
def test_the_last_verdict_of_what_the_judge_says_is_the_mark(
    judge_url: str, tmp_path: Path, api: dict[str, Any]
) -> None:
    found = mark(f"{judge_url}/v1", tmp_path, [GOOD, BAD, NOW, SOON], [GOOD, GOOD, NOW, NOW], **api)

    assert found == {
        "kindness": [Marked(("good",), ""), Marked(("bad",), ""), Marked(("bad",), ""), Marked((), "no_verdict")]
    }


def test_pairs_are_judged_in_both_orders_and_equal_answers_by_nobody(judge_url: str, tmp_path: Path) -> None:
    with Proxy(judge_url) as proxy:
        found = mark(
            proxy.url, tmp_path, [GOOD, BAD, NOW, GOOD], [BAD, GOOD, SOON, GOOD], rubrics={"better": PAIRWISE}
        )["better"]

        assert len(proxy.requests) == 4  # of two questions, each in two orders
    assert [of_row.marks for of_row in found] == [("first", "second"), ("second", "first"), ("first", "first"), ()]
    assert [asking.score(Pairwise("kind"), of_row.marks) for of_row in found] == [1, 0, 0.5, 0.5]


def test_nothing_is_asked_twice_whoever_answered(judge_url: str, tmp_path: Path) -> None:
    rubrics = {"kindness": POINTWISE, "better": PAIRWISE}
    with Proxy(judge_url) as proxy:
        first = mark(proxy.url, tmp_path, [GOOD, BAD], [BAD, GOOD], rubrics=rubrics)
        assert len(proxy.requests) == len(set(proxy.requests)) == 4

        again = mark(proxy.url, tmp_path, [BAD, GOOD], [GOOD, BAD], rubrics=rubrics, max_requests=1, timeout_s=9.0)

        assert len(proxy.requests) == 4
    assert again == {name: of_rubric[::-1] for name, of_rubric in first.items()}


def test_more_requests_than_the_budget_are_refused_before_the_first(judge_url: str, tmp_path: Path) -> None:
    with Proxy(judge_url) as proxy:
        mark(proxy.url, tmp_path, [GOOD], [GOOD], max_requests=1)
        with pytest.raises(
            UserError, match=r"^here.max_requests = 1: 2 requests are not in the archive, and none was "
        ):
            mark(proxy.url, tmp_path, [GOOD, BAD, NOW], [GOOD, GOOD, NOW], max_requests=1)

        assert len(proxy.requests) == 1


def test_a_judge_that_is_busy_is_asked_again_and_one_that_refuses_gives_no_mark(judge_url: str, tmp_path: Path) -> None:
    with Proxy(judge_url, [(529, {"Retry-After": "0"}, ""), (400, {}, "no")]) as proxy:
        found = mark(proxy.url, tmp_path, [GOOD, BAD], [GOOD, GOOD], parallel=1)["kindness"]

    assert found == [Marked((), "refused_request"), Marked(("bad",), "")]


def test_an_answer_that_is_cut_gives_no_mark(judge_url: str, tmp_path: Path) -> None:
    assert mark(f"{judge_url}/v1", tmp_path, [GOOD], [GOOD], max_tokens=2)["kindness"] == [Marked((), "cut_off")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Verdict: good", "good"),
        ("**Verdict:** Good.", "good"),
        ("verdict - bad\nVerdict: good", "good"),
        ("Verdict: goodness", None),
        ("Verdict: fine", None),
        ("good", None),
        ("", None),
    ],
)
def test_a_verdict_is_a_mark_after_the_word(text: str, found: str | None) -> None:
    assert asking.verdict(text, KIND) == found


def test_marks_are_equally_far_apart() -> None:
    rubric = Pointwise("", ["wrong", "partly", "right"])

    assert [asking.score(rubric, [mark]) for mark in rubric.marks] == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("marks", "score"),
    [
        (["first", "second"], 1), (["second", "first"], 0), (["first", "first"], 0.5), (["second", "second"], 0.5),
        (["equal", "equal"], 0.5), (["first", "equal"], 0.75), (["equal", "first"], 0.25), ([], 0.5),
    ],
)  # fmt: skip
def test_the_score_of_a_pair_is_the_mean_of_both_orders(marks: list[str], score: float) -> None:
    assert asking.score(Pairwise("kind"), marks) == score


def test_a_prompt_has_question_answers_reference_criteria_and_marks(tmp_path: Path) -> None:
    prompts = Prompts(judges.prompts(tmp_path))
    (own,), (other,) = answers(GOOD), answers(BAD)

    asked = [turn.content for turns in asking.questions(Pairwise("kind"), own, other, prompts) for turn in turns]

    assert asked == [text for text, _ in judges.TAUGHT[4:6]]


def test_the_projects_own_prompts_have_room_for_all() -> None:
    prompts = Prompts(ROOT / "stages/evaluating/judging/prompts")
    (own,), (other,) = answers(GOOD), answers(BAD)

    for rubric in (KIND, Pairwise("be kind")):
        for turns in asking.questions(rubric, own, other, prompts):
            assert "{" not in turns[0].content and all(mark in turns[0].content for mark in rubric.marks)
