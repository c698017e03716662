"""The model card says what was measured and declared, and makes nothing up."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from modelmake import params
from stages import card
from stages.params.combination import Combination
from stages.params.evaluation import Compare
from stages.params.release import Card
from tests.conftest import ROOT
from tests.made_up_build import FIGURES, entry

CARD = Card(model="sft", name="desk", license="MIT", language=["en", "de"], description="Answers tickets.")


def counts(rows_in: int, **dropped: int) -> dict[str, Any]:
    return {"in": rows_in, "out": rows_in - sum(dropped.values()), "dropped": dropped}


@pytest.fixture
def reports(tmp_path: Path) -> dict[str, Any]:
    """{path below the folder: content} of what the stage reads; a test may change them."""
    data = {stage: counts(10) for stage in card.DATA_STAGES}
    data["clean"] |= {"personal": {}}
    sources = {"all": {"in": 10, "rows": 10, "share": 1.0, "epochs": 1.0}}
    data["mix"] |= {"kinds": {"chat": {"rows": 10, "sources": sources, "shares": {}}}}
    return {
        "model/config.json": {"architectures": ["LlamaForCausalLM"]},
        **{f"data/{stage}.json": report for stage, report in data.items()},
        "trained/base.json": {"kind": "tiny", "parameters": 1000, "history": []},
        "trained/sft.json": {
            **counts(10, over_long=4),
            "steps": 5,
            "over_long": list("abcd"),
            "history": [],
            "tokens": {"trained": 1200, "total": 3400},
        },
        "trained/sft.consumed.jsonl": {"step": 1, "ids": list("efghi")},
        "comparison.json": {"chat": {"base": {"exact_match": entry(0.1)}, "sft": {"exact_match": entry(0.5)}}},
        "gate.json": {"verdict": "ALLOW", "gates": {}},
    }


def render(
    folder: Path, reports: dict[str, Any], declared: Card = CARD, train: tuple[str, ...] = ("sft",),
    combine: dict[str, Combination] | None = None, quantize: dict[str, card.Quant] | None = None,
) -> str:  # fmt: skip
    values = params.load(ROOT / "params.yaml")
    for name, content in reports.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    (folder / "parity").mkdir(exist_ok=True)
    compare = params.section(values, "compare", Compare, "params.yaml")
    named = {"train": {name: values["train"]["sft"] for name in train}}
    steps = params.section(named, "train", dict[str, card.Step], "params.yaml")
    paths = [
        folder / name for name in ("model/config.json", "data", "trained", "comparison.json", "gate.json", "parity")
    ]
    inputs = card.Inputs(*paths, ROOT / "stages/reporting/templates/card.md")
    datasheet = params.section(values, "datasheet", card.Datasheet, "params.yaml")
    card.main(inputs, folder / "card.md", declared, datasheet, compare, steps, combine or {}, {}, quantize or {})
    return (folder / "card.md").read_text("utf-8")


def test_licence_and_language_are_in_the_metadata_and_the_text(tmp_path: Path, reports: dict[str, Any]) -> None:
    text = render(tmp_path, reports)

    assert text.startswith("---\nlicense: mit\nlanguage: [en, de]\nlibrary_name: transformers\n")
    assert "Licence of the weights: MIT. Language: en, de." in text and "Answers tickets." in text


def test_licences_that_cannot_both_hold_are_told(tmp_path: Path, reports: dict[str, Any]) -> None:
    reports["trained/base.json"] |= {"kind": "folder", "license": "gpl-3.0"}
    text = render(tmp_path, reports)

    assert "Of the data: Apache-2.0; of the base: gpl-3.0; of the weights: MIT." in text
    told = "- **conflict**: the base, GPL-3.0-only, wants what is made of it under the same licence; the release is MIT"
    assert told in text.splitlines() and "No conflict is known." not in text


def test_an_undeclared_licence_of_a_base_is_unknown(tmp_path: Path, reports: dict[str, Any]) -> None:
    reports["trained/base.json"] |= {"kind": "folder", "license": None}

    assert "- unknown: the licence of the base is not declared" in render(tmp_path, reports).splitlines()


def test_a_base_that_was_trained_here_has_the_licence_of_the_rows(tmp_path: Path, reports: dict[str, Any]) -> None:
    text = render(tmp_path, reports)

    assert "Of the data: Apache-2.0; of the base: Apache-2.0; of the weights: MIT." in text
    assert "No conflict is known." in text.splitlines()


def test_the_rows_of_a_step_are_those_that_it_consumed(tmp_path: Path, reports: dict[str, Any]) -> None:
    text = render(tmp_path, reports)

    assert "| sft | sft | base | 5 of 10 chat | over_long 4 | none | 1,200 of 3,400 | 5 | 0.002 | all |" in text


def test_a_combination_is_made_by_both_steps_and_says_how(tmp_path: Path, reports: dict[str, Any]) -> None:
    for suffix in (".json", ".consumed.jsonl"):
        reports[f"trained/tone{suffix}"] = reports[f"trained/sft{suffix}"]
    reports["comparison.json"]["chat"]["both"] = {"exact_match": entry(0.7)}
    reports["trained/both.json"] = {"relative_error": 0.0123}
    both = Combination(
        from_="base", adapters=["sft", "tone"], weights=[0.5, -1.0], method="cat", svd_rank=None, density=None,
        majority_sign_method=None, seed=None, quantization=None,
    )  # fmt: skip

    text = render(tmp_path, reports, replace(CARD, model="both"), ("sft", "tone"), {"both": both})

    assert "- `both` adds the updates of two adapters to `base`: 0.5 × `sft` + -1 × `tone`, by cat, off that" in text
    assert "by cat, off that sum by 0.012 of it\n" in text
    assert text.count("| sft | base | 5 of 10 chat |") == 2


def test_what_a_model_was_made_by_comes_first_and_once() -> None:
    values = params.load(ROOT / "params.yaml")
    sft = params.section(values, "train", dict[str, card.Step], "params.yaml")["sft"]
    train = {"sft": sft, **{name: replace(sft, from_="sft") for name in ("a", "b")}, "more": replace(sft, from_="both")}
    both = Combination(
        from_="sft", adapters=["b", "a"], weights=[1.0, 1.0], method="cat", svd_rank=None, density=None,
        majority_sign_method=None, seed=None, quantization=None,
    )  # fmt: skip

    assert card.lineage("more", train, {"both": both}) == ["sft", "b", "a", "both", "more"]


@pytest.mark.parametrize(
    ("action", "line"),
    [
        ("redact", "- personal data, api key: found 2 times in 1 rows, replaced by placeholders"),
        ("report", "- personal data, api key: found 2 times in 1 rows, **and still there**"),
    ],
)
def test_personal_data_is_said_to_be_replaced_only_where_it_was(
    tmp_path: Path, reports: dict[str, Any], action: str, line: str
) -> None:
    reports["data/clean.json"]["personal"] = {"api_key": {"action": action, "rows": 1, "found": 2}}

    text = render(tmp_path, reports)

    assert line in text and "No personal data was found" not in text


def test_what_nobody_declared_is_not_made_up(tmp_path: Path, reports: dict[str, Any]) -> None:
    text = render(tmp_path, reports, Card(model="sft", name="desk", license=None, language=None, description=None))

    assert text.startswith("---\nlibrary_name: transformers\npipeline_tag: text-generation\n---\n# desk\n")
    assert "Licence of the weights: not declared. Language: not declared." in text
    assert "What the model is for is not declared." in text and "None" not in text


def test_a_quantized_file_says_what_who_asks_it_has_to_do(tmp_path: Path, reports: dict[str, Any]) -> None:
    exact = {"exact_match": {"model": 0.75, "file": 0.74, "difference": -0.01}}
    report = {"verdict": "pass", "why": [], "rows": 8, "same_answers": 0.875, "metrics": exact}
    quantize = {"Q8_0": params.section(params.load(ROOT / "params.yaml"), "quantize.Q8_0", card.Quant, "params.yaml")}

    text = render(tmp_path, reports | {"parity/Q8_0.json": report | FIGURES}, quantize=quantize)
    files = text[text.index("## Files") :].split("\n- ")[1].split("\n\n")[0].splitlines()
    assert files == [
        "`models/quantized/Q8_0` (of dpo): 87.5 % of answers are the same as the model's, exact match 0.750 → 0.740, "
        "mean KL divergence of its predictions 0.00024: **pass**",
        "  - llama.cpp leaves out this tokenizer's NFC: **normalize texts to NFC before asking**; 2 of the held-out "
        "prompts were not in it",
        "  - its own sampling settings (temperature 0.6) are what servers take unless told otherwise; it was evaluated "
        "greedily",
        "  - 1 of 8 held-out prompts are not those of training in the runtime",
    ]

    plain = FIGURES | {"prompts": {"normal_form": None, "changed": 0}, "predictions": {"tokens": 0}, "sampling": {}}
    text = render(tmp_path, reports | {"parity/Q8_0.json": report | plain}, quantize=quantize)
    assert "exact match 0.750 → 0.740: **pass**\n\n## " in text
