"""What is customary is known for every method and way, and other rates are told."""

from typing import get_args

import msgspec
import pytest

from modelmake import params
from stages.params.training import Step
from stages.proposing import proposal
from stages.training import learning_rates
from tests.conftest import ROOT
from tests.tiny_models import PLAIN_LORA

DEFAULT = params.load(ROOT / "params.yaml")["train"]


def step(name: str, **changes: object) -> Step:
    values = params.section({"train": DEFAULT}, f"train.{name}", Step, "params.yaml")
    return msgspec.structs.replace(values, **changes)


def test_both_ways_of_every_method_have_a_range() -> None:
    methods = {method.__struct_config__.tag for method in get_args(Step)}

    for ranges in (learning_rates.WHOLE, learning_rates.ADAPTER):
        assert set(ranges) == methods
        assert all(least < most <= small for least, most, small in ranges.values())


@pytest.mark.parametrize(
    ("name", "changes", "parameters", "told"),
    [
        ("sft", {"learning_rate": 2e-5}, 8e9, ""),
        ("sft", {"learning_rate": 2e-4}, 8e9, "learning_rate 2.0e-04 is more than is customary for sft of the model's "
         "own weights: 2.0e-06 to 5.0e-05 at 8.0 billion parameters"),
        ("sft", {"learning_rate": 2e-4}, 6e8, ""),
        ("sft", {"learning_rate": 2e-4, "weights": PLAIN_LORA}, 8e9, ""),
        ("dpo", {"learning_rate": 2e-4}, 8e9, "learning_rate 2.0e-04 is more than is customary for dpo of an adapter: "
         "5.0e-07 to 1.0e-04 at 8.0 billion parameters"),
        ("dpo", {"learning_rate": 5e-6}, 8e9, ""),
        ("dpo", {"learning_rate": 1e-7}, 6e8, "learning_rate 1.0e-07 is less than is customary for dpo of an adapter: "
         "5.0e-07 to 1.0e-04 at 0.6 billion parameters"),
    ],
)  # fmt: skip
def test_a_rate_beyond_what_is_customary_is_told(
    name: str, changes: dict[str, object], parameters: float, told: str
) -> None:
    assert learning_rates.unusual(step(name, **changes), int(parameters)) == told


def test_nothing_is_said_of_tiny_models_and_of_other_optimizers() -> None:
    assert learning_rates.unusual(step("sft", learning_rate=0.5), 600_000) == ""
    assert learning_rates.unusual(step("sft", learning_rate=0.5, optim="lion_32bit"), 8_000_000_000) == ""
    assert learning_rates.unusual(step("sft", learning_rate=0.5, optim="paged_adamw_8bit"), 8_000_000_000) != ""


@pytest.mark.parametrize("kind", proposal.METHODS)
def test_what_init_proposes_for_a_named_base_is_customary(kind: str) -> None:
    least, most, _ = learning_rates.ADAPTER[proposal.METHODS[kind].__struct_config__.tag]

    assert least <= proposal.ADAPTER_RATES[kind] <= most
