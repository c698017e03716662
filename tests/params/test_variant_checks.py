"""Variants are suites, with rows that are there and are held out."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelmake import params
from stages import preflight
from stages.params import cross_checks, variant_checks
from stages.params.evaluation import Evaluate
from stages.params.variation import Variant

ROOT = Path(__file__).parents[2]
PARAMS = params.load(ROOT / "params.yaml")
VARIANT = {
    "rows": "data/splits/test/chat.jsonl", "system_prompt": "keep", "typos": 0.1, "spaces": 0.0, "case": "keep",
    "seed": 1,
}  # fmt: skip


def problems(change: Callable[[dict[str, Any]], Any]) -> list[str]:
    """Problems of the default params with a variant, after an edit."""
    values = copy.deepcopy(PARAMS)
    for section in ("answer", "suites"):
        values[section]["noisy"] = values[section]["chat"]
    values["evaluate"]["variants"] = {"noisy": VARIANT}
    change(values)
    chapters, found = preflight.decode(values)
    assert found == []
    return cross_checks.problems(chapters)


def test_a_variant_is_a_suite_with_metrics_that_gates_may_be_on() -> None:
    gate = {"model": "dpo", "metric": "noisy.exact_match", "against": "base", "bound": 0.1, "where": None}

    assert problems(lambda values: values["compare"]["gates"].update(noisy=gate)) == []


def test_a_variant_has_an_entry_of_suites_and_a_name_of_its_own() -> None:
    def without(values: dict[str, Any]) -> None:
        del values["answer"]["noisy"], values["suites"]["noisy"]

    assert problems(without) == ["evaluate.variants = 'noisy': want one of chat"]
    taken = problems(lambda values: values["evaluate"].update(variants={"chat": VARIANT}))
    assert taken == ["evaluate.variants: name 'chat': is taken by rows of split; rename the variant, in suites too"]


def test_a_variant_is_answered_as_its_model_can() -> None:
    long = problems(lambda values: values["answer"].update(noisy=values["answer"]["chat"] | {"max_new_tokens": 512}))

    assert long == ["answer.noisy.max_new_tokens = 512: want room for a prompt in base.max_position_embeddings = 512"]


HELD_OUT = "want one of chat, pair, judged, text, golden, as data/splits/test/<rows>.jsonl"
TRAINED_ON = "want rows that are held out: models may be trained on these"


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ("data/splits/test/golden.jsonl", ""),
        ("data/../data/splits/test/golden.jsonl", ""),
        ("own.jsonl", ""),
        ("data/raw_suites/own.jsonl", ""),
        ("data/splits/train/chat.jsonl", HELD_OUT),
        ("data/../data/splits/train/chat.jsonl", HELD_OUT),
        ("./data/splits/val/chat.jsonl", HELD_OUT),
        ("data/splits/test/../train/chat.jsonl", HELD_OUT),
        ("data/splits/test/chats.jsonl", HELD_OUT),
        ("data/mixed/chat.jsonl", TRAINED_ON),
        ("data/raw/chats.jsonl", TRAINED_ON),
        ("data/own/../raw/deep/chats.jsonl", TRAINED_ON),
        ("data/nothing.jsonl", "no such file; put chats there"),
        ("my rows.jsonl", "want a path without spaces and signs that a shell reads"),
    ],
)
def test_the_rows_of_a_variant_are_held_out_or_there(
    rows: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for own in ("own.jsonl", "data/raw_suites/own.jsonl"):
        Path(own).parent.mkdir(parents=True, exist_ok=True)
        Path(own).touch()

    assert found(rows) == ([f"evaluate.variants.noisy.rows = {rows!r}: {wanted}"] if wanted else [])


def test_an_absolute_path_is_judged_as_a_relative_one() -> None:
    rows = str(Path("data/mixed/chat.jsonl").absolute())

    assert found(rows) == [f"evaluate.variants.noisy.rows = {rows!r}: {TRAINED_ON}"]


def test_raw_data_may_be_one_file() -> None:
    assert found("data/chats.jsonl", raw="./data/chats.jsonl")[0].endswith(TRAINED_ON)


def test_no_rows_that_a_stage_before_training_writes_are_held_out() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    outs = [out for name in ("ingest", "clean", "dedup", "augment", "mix") for out in stages[name]["outs"]]
    folders = {out if "." not in out else str(Path(out).parent) for out in outs if out.startswith("data/")} - {"data"}

    assert folders == {"data/ingested", "data/cleaned", "data/deduplicated", "data/augmented", "data/mixed"}
    for folder in (*folders, "data/calibration"):
        assert found(f"{folder}/rows.jsonl")[0].endswith(TRAINED_ON)


def found(rows: str, raw: str = "data/raw") -> list[str]:
    evaluate = Evaluate(["base"], ["chat"], {"noisy": Variant(**VARIANT | {"rows": rows})})
    return variant_checks.problems(evaluate, raw)
