"""A fine-tune is held against the base and alternatives on the same rows: who would have done, at what price."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelmake.errors import UserError
from stages import weigh
from stages.evaluating import metrics, scoring
from stages.params.evaluation import Compare, Evaluate
from stages.params.weighing import Price, Weighing

HIGHER = metrics.Metric("higher", 0, 1, "a paper")._asdict()
LOWER = metrics.Metric("lower", 0, None, "a paper")._asdict()
COMPARE = Compare(
    suite="chat", baseline="base", bootstrap_samples=2000, confidence=0.95, looks=1, power=0.8, seed=1, min_rows=1,
    gates={},
)  # fmt: skip
FREE = Price(once=0, prompt=1.0, answer=2.0)
WEIGHING = Weighing(
    metric="exact_match", margin=0.05, currency="EUR",
    prices={"dpo": Price(once=70, prompt=0.5, answer=1.0), "base": FREE, "few_shot": FREE},
)  # fmt: skip
EVALUATE = Evaluate(models=["base", "dpo"], suites=["chat"])
ROWS = 400


def put(
    path: Path, hits: list[float], tokens: list[int] | None, metric: str = "exact_match", declared=HIGHER, declined=0
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scored = [scoring.Answer(f"{i:03}", f"prompt {i}", "e", "a", {metric: (hit, 1.0)}) for i, hit in enumerate(hits)]
    scoring.write(path.with_suffix(".jsonl"), scored)
    told = ({"tokens": tokens} if tokens else {}) | ({"declined": declined} if declined else {})
    path.with_suffix(".json").write_text(json.dumps({"rows": len(hits), "declared": {metric: declared}, **told}))


def right(share: float) -> list[float]:
    return [float(i < share * ROWS) for i in range(ROWS)]


def run(folder: Path, params: Weighing = WEIGHING, compare: Compare = COMPARE) -> dict[str, Any]:
    paths = folder / "evaluate", folder / "alternatives", folder / "dpo.json"
    line = weigh.main(*paths, "dpo", "chat", params, compare, EVALUATE)
    result = json.loads(paths[2].read_text())
    assert line == result["told"]
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "evaluate/dpo-chat", right(0.9), [ROWS * 40, ROWS * 10])
    put(tmp_path / "evaluate/base-chat", right(0.1), [ROWS * 40, ROWS * 20])
    put(tmp_path / "alternatives/few_shot", right(0.9), [ROWS * 400, ROWS * 10])
    return tmp_path


def test_who_is_as_good_would_have_done_and_who_is_far_worse_would_not(folder: Path) -> None:
    found = run(folder)

    assert {name: of["verdict"] for name, of in found["against"].items()} == {
        "base": "would not have done", "few_shot": "would have done",
    }  # fmt: skip
    few_shot = found["against"]["few_shot"]
    assert (found["value"], few_shot["value"], few_shot["gain"]) == (0.9, 0.9, 0.0)
    assert few_shot["more_rows"] is None
    assert few_shot["low"] >= -0.05 and found["against"]["base"]["high"] < -0.05


def test_costs_are_of_1000_requests_and_pay_from_a_volume_on(folder: Path) -> None:
    found = run(folder)

    # 1,000 × (40 × 0.5 + 10 × 1) / 1,000,000; (400 × 1 + 10 × 2); (40 × 1 + 20 × 2)
    assert (found["per_1000"], found["tokens"]) == (0.03, [40, 10])
    assert {name: of["per_1000"] for name, of in found["against"].items()} == {"base": 0.08, "few_shot": 0.42}
    # 70 / 0.00039 = 179,487.2; 70 / 0.00005 = 1,400,000
    assert found["against"]["few_shot"]["pays"] == {"when": "from", "requests": 179_488}
    assert found["against"]["base"]["pays"] == {"when": "from", "requests": 1_400_001}


def test_the_first_sentence_says_which_of_them_would_have_done(folder: Path) -> None:
    assert run(folder)["told"] == (
        "few_shot would have done in place of dpo: worse by at most 0.05 in exact_match. base would not have done in "
        "place of dpo: worse by more than 0.05 in exact_match. 1,000 requests cost 0.42 EUR with few_shot and 0.03 "
        "with dpo, which pays from 179,488 requests on. 1,000 requests cost 0.08 EUR with base and 0.03 with dpo, "
        "which pays from 1,400,001 requests on."
    )


@pytest.mark.parametrize(
    ("price", "told"),
    [
        (Price(once=0, prompt=0.5, answer=1.0), "which always pays"),  # as many tokens, at less
        (Price(once=70, prompt=9.0, answer=9.0), "which never pays"),
        (
            Price(once=0, prompt=9.0, answer=9.0),
            "which pays up to 1,891 requests",
        ),  # 0.7 / (0.45 - 0.08) * 1000 = 1,891.9
    ],
)
def test_when_a_fine_tune_pays_is_said_in_words(folder: Path, price: Price, told: str) -> None:
    prices = {"dpo": price, "base": Price(once=0.7, prompt=1.0, answer=2.0), "few_shot": FREE}

    sentences = run(folder, msgspec.structs.replace(WEIGHING, prices=prices))["told"].split(". ")

    assert next(sentence for sentence in sentences if "with base" in sentence).rstrip(".").endswith(told)


def test_few_rows_settle_nothing_and_say_how_many_would(tmp_path: Path) -> None:
    for name, hits in (
        ("evaluate/dpo-chat", [1, 1, 0]),
        ("evaluate/base-chat", [0, 0, 0]),
        ("alternatives/few_shot", [1, 0, 1]),
    ):
        put(tmp_path / name, hits, [9, 9])

    found = run(tmp_path)

    assert {of["verdict"] for of in found["against"].values()} == {"not settled"}
    assert found["told"].startswith("For base and few_shot 3 rows do not settle it. 1,000 requests cost")
    assert found["against"]["base"]["more_rows"] > 3


def test_where_less_is_better_less_would_have_done(tmp_path: Path) -> None:
    for name, share in (("evaluate/dpo-chat", 0.9), ("evaluate/base-chat", 0.1), ("alternatives/few_shot", 0.9)):
        put(tmp_path / name, right(share), [9, 9], "length", LOWER)
    params = Weighing(metric="length", margin=0.05, currency="EUR", prices=WEIGHING.prices)

    assert run(tmp_path, params)["against"]["base"]["verdict"] == "would have done"


def test_what_no_row_counts_for_settles_nothing(folder: Path) -> None:
    nothing = [scoring.Answer(f"{i:03}", f"prompt {i}", "e", "a", {"exact_match": (0.0, 0.0)}) for i in range(ROWS)]
    for name in ("evaluate/dpo-chat", "evaluate/base-chat", "alternatives/few_shot"):
        scoring.write(folder / f"{name}.jsonl", nothing)

    base = run(folder)["against"]["base"]

    assert (base["verdict"], base["value"], base["more_rows"]) == ("not settled", None, None)
    assert "gain" not in base and base["why"].startswith("exact_match counts none of 400 rows")


def test_costs_that_were_not_counted_are_told(folder: Path) -> None:
    put(folder / "alternatives/few_shot", right(0.9), None)

    found = run(folder)

    assert (found["against"]["few_shot"]["per_1000"], found["against"]["few_shot"]["pays"]) == (None, None)
    assert "What few_shot costs beside dpo is not known: tokens were not counted" in found["told"]


def test_costs_are_of_requests_that_were_answered(folder: Path) -> None:
    answered = ROWS - 100
    put(folder / "alternatives/few_shot", right(0.9), [answered * 400, answered * 10], declined=100)

    found = run(folder)

    few_shot = found["against"]["few_shot"]
    assert (few_shot["tokens"], few_shot["per_1000"], few_shot["declined"]) == ([400, 10], 0.42, 100)
    assert "few_shot declined 100 of 400 requests: costs are of the others" in found["told"]
    assert "declined" not in found["against"]["base"] and "base declined" not in found["told"]


def test_a_volume_follows_from_tokens_not_from_costs_as_shown(tmp_path: Path) -> None:
    for name, tokens in (
        ("evaluate/dpo-chat", [30400, 8100]), ("evaluate/base-chat", [30432, 8144]),
        ("alternatives/few_shot", [30432, 8144]),
    ):  # fmt: skip
        put(tmp_path / name, [1.0] * 1000, tokens)
    prices = {name: Price(once=float(name == "dpo"), prompt=0.05, answer=0.2) for name in WEIGHING.prices}

    base = run(tmp_path, msgspec.structs.replace(WEIGHING, prices=prices))["against"]["base"]

    # (32 × 0.05 + 44 × 0.2) / 1,000,000 / 1000 = 1.04e-8 a request: 1 / 1.04e-8 = 96,153,846.2
    assert base["pays"] == {"when": "from", "requests": 96_153_847}


def test_seeds_of_compare_are_not_weighed(folder: Path) -> None:
    found = run(folder, compare=msgspec.structs.replace(COMPARE, seeds={"base": ["base_b"], "dpo": ["dpo_b"]}))

    assert found["against"]["few_shot"]["verdict"] == "would have done"


def test_files_of_alternatives_that_are_gone_are_an_error(folder: Path) -> None:
    put(folder / "alternatives/old", right(0.9), None)

    with pytest.raises(UserError, match=r"old\.json, old\.jsonl: left by items that params\.yaml no longer declares"):
        run(folder)


def test_answers_to_other_rows_are_an_error(folder: Path) -> None:
    put(folder / "alternatives/few_shot", right(0.9)[1:], None)

    with pytest.raises(UserError, match=r"few_shot\.jsonl: other rows than those of"):
        run(folder)
