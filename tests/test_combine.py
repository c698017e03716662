"""Combining: the result is an adapter that loads, and how far it is from the exact weighted sum is told.

The libraries' ways to be wrong in silence are here too: PEFT's own method is wrong where a test says so, ours is not.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from modelmake.errors import UserError
from stages import combine
from stages.params.combination import Combination
from stages.params.weights import Quantization
from stages.training import combining
from tests.tiny_models import build_model
from tests.training.test_combining import PLAIN, combination

NF4 = Quantization(
    load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype="float32"
)
EXACT = 1e-5
TOKENS = torch.arange(60).reshape(2, 30)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("start"), num_hidden_layers=1)


@pytest.fixture(scope="module")
def adapter(start: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of an adapter of random updates, as training saves one."""
    made: dict[str, Path] = {}

    def build(seed: int, **options: Any) -> Path:
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        name = json.dumps([seed, options])
        if name not in made:
            torch.manual_seed(seed)
            config = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "init_lora_weights": False} | options
            model = get_peft_model(
                AutoModelForCausalLM.from_pretrained(start), LoraConfig(task_type="CAUSAL_LM", **config)
            )
            for parameter_name, parameter in model.named_parameters():
                if "magnitude" in parameter_name:  # as if trained
                    parameter.data *= 1 + 0.2 * torch.rand_like(parameter)
            made[name] = tmp_path_factory.mktemp("adapter")
            model.save_pretrained(made[name])
        return made[name]

    return build


class Combined:
    """What the stage wrote."""

    def __init__(self, folder: Path, line: str) -> None:
        self.adapter, self.merged, self.line = folder / "adapter", folder / "merged", line
        self.report = json.loads((folder / "report.json").read_text())


@pytest.fixture
def run(start: Path, tmp_path: Path) -> Callable[..., Combined]:
    def combined(first: Path, second: Path, params: Combination, name: str = "out") -> Combined:
        folder = tmp_path / name
        folder.mkdir()
        outputs = (folder / "adapter", folder / "merged", folder / "report.json")
        line = combine.main(start, first, second, *outputs, "both", params)
        return Combined(folder, line)

    return combined


def loaded(start: Path, *adapters: Path) -> Any:
    """The start model with adapters named 0, 1, …, as PEFT loads them."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(start), str(adapters[0]), adapter_name="0")
    for number, folder in enumerate(adapters[1:], 1):
        model.load_adapter(str(folder), adapter_name=str(number))
    return model


def difference(start: Path, found: Path, first: Path, second: Path, weights: list[float]) -> float:
    """The largest difference of any number of `found` from the weighted sum of the real updates."""
    layers = combine.lora_layers(loaded(start, found, first, second)).values()
    return max(
        float((combining.update(layer, "0") - sum(
            weight * combining.update(layer, name) for weight, name in zip(weights, "12", strict=True)
        )).abs().max())
        for layer in layers
    )  # fmt: skip


def logits(model: Any) -> torch.Tensor:
    model.eval()
    with torch.no_grad():
        return model(TOKENS).logits


@pytest.mark.parametrize(
    ("options", "method", "changes"),
    [
        ({}, "cat", {}),
        ({}, "svd", {"svd_rank": 8}),
        ({"use_rslora": True}, "cat", {}),
        ({"use_rslora": True}, "svd", {"svd_rank": 8}),
        ({"use_dora": True}, "svd", {"svd_rank": 64}),
    ],
    ids=["cat", "svd", "cat of rsLoRA", "svd of rsLoRA", "svd of DoRA"],
)
def test_exact_methods_are_exact_and_merged_is_what_the_adapter_computes(
    start: Path, adapter, run, options: dict[str, Any], method: str, changes: dict[str, Any]
) -> None:
    from transformers import AutoModelForCausalLM

    first, second, weights = adapter(1, **options), adapter(2, **options), [0.75, -0.5]

    found = run(first, second, combination(method, weights=weights, **changes))

    assert found.report["relative_error"] < EXACT
    assert found.report["layers"] == 7
    assert difference(start, found.adapter, first, second, weights) < 1e-5
    assert torch.allclose(
        logits(AutoModelForCausalLM.from_pretrained(found.merged)), logits(loaded(start, found.adapter)), atol=1e-4
    )


@pytest.mark.parametrize("method", ["linear", "ties", "magnitude_prune"])
def test_methods_on_factors_give_what_peft_gives_and_tell_how_far_that_is(
    start: Path, adapter, run, method: str
) -> None:
    first, second, weights = adapter(1), adapter(2), [0.75, -0.5]
    params = combination(method, weights=weights)
    theirs = loaded(start, first, second)
    theirs.add_weighted_adapter(
        ["0", "1"], weights, "both", combination_type=method, density=params.density,
        **({"majority_sign_method": "total"} if method == "ties" else {}),
    )  # fmt: skip

    found = run(first, second, params)

    ours = combine.lora_layers(loaded(start, found.adapter))
    for name, layer in combine.lora_layers(theirs).items():
        assert torch.allclose(layer.get_delta_weight("both"), ours[name].get_delta_weight("0"), atol=1e-6), name
    assert found.report["relative_error"] > 0.5
    assert f"; {found.report['relative_error']:.2g} of the exact sum is missing or wrong" in found.line


def test_dare_gives_the_same_bytes_again_and_others_with_another_seed(adapter, run) -> None:
    first, second = adapter(1), adapter(2)
    bytes_of = [
        (run(first, second, combination("dare_ties", seed=seed), str(number)).adapter / "adapter_model.safetensors")
        .read_bytes()
        for number, seed in enumerate((1, 1, 2))
    ]  # fmt: skip

    assert bytes_of[0] == bytes_of[1] != bytes_of[2]


def test_rslora_by_peft_itself_is_too_strong_by_the_root_of_the_rank(start: Path, adapter) -> None:
    """The guard is ours: the adapter that we write has no rsLoRA, and the scale 1."""
    first, second = adapter(1, use_rslora=True), adapter(2, use_rslora=True)
    theirs = loaded(start, first, second)
    theirs.add_weighted_adapter(["0", "1"], [1.0, 1.0], "both", combination_type="cat")

    [layer, *_] = combine.lora_layers(theirs).values()
    exact = layer.get_delta_weight("0") + layer.get_delta_weight("1")
    assert torch.allclose(layer.get_delta_weight("both"), 8**0.5 * exact, atol=1e-5)


def test_adapters_of_unlike_ranks_and_layers_are_combined_exactly(start: Path, adapter, run) -> None:
    first, second = adapter(1, r=2, target_modules=["q_proj"]), adapter(2, r=3, target_modules=["v_proj", "q_proj"])

    found = run(first, second, combination("cat"))

    assert (found.report["rank"], found.report["layers"]) == (5, 2)
    assert found.report["relative_error"] < EXACT


def test_three_adapters_are_a_combination_of_a_combination(start: Path, adapter, run) -> None:
    inner = run(adapter(1), adapter(2), combination("cat", weights=[0.5, 2.0]), "inner")

    outer = run(inner.adapter, adapter(3), combination("cat", weights=[2.0, -1.0]), "outer")

    layers = combine.lora_layers(loaded(start, outer.adapter, adapter(1), adapter(2), adapter(3)))
    for name, layer in layers.items():
        updates = [combining.update(layer, number) for number in "0123"]
        assert torch.allclose(updates[0], updates[1] + 4 * updates[2] - updates[3], atol=1e-5), name


def test_after_qlora_the_rounded_weights_are_what_the_updates_are_added_to(start: Path, adapter, run) -> None:
    from peft import PeftModel

    from stages.training import qlora

    found = run(adapter(1), adapter(2), combination("cat", quantization=NF4))

    from transformers import AutoModelForCausalLM

    rounded = PeftModel.from_pretrained(qlora.load_4bit(start, NF4, "cpu"), str(found.adapter))
    merged = AutoModelForCausalLM.from_pretrained(found.merged)
    assert torch.allclose(logits(merged), logits(rounded), atol=1e-3)
    assert not torch.allclose(logits(merged), logits(loaded(start, found.adapter)), atol=1e-2)


def test_each_adapter_that_would_lose_something_is_refused(start: Path, adapter, run, tmp_path: Path) -> None:
    plain, dora = adapter(1), adapter(1, use_dora=True)
    cases = [
        (dora, combination("cat"), "holds magnitudes of DoRA, which cat cannot add: want svd or another method of svd"),
        (adapter(1, modules_to_save=["lm_head"]), combination("cat"),
         "holds base_model.model.lm_head.weight: want factors of linear layers only: a combination would lose others"),
        (adapter(1, trainable_token_indices=[3]), combination("svd"),
         "holds base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta: want factors of linear layers"
         " only: a combination would lose others"),
        (adapter(1, target_modules=["embed_tokens"]), combination("cat"),
         "holds base_model.model.model.embed_tokens.base_layer.weight, "
         "base_model.model.model.embed_tokens.lora_embedding_A, base_model.model.model.embed_tokens.lora_embedding_B: "
         "want factors of linear layers only: a combination would lose others"),
        (start, combination("cat"),
         "no adapter_config.json: want the folder of an adapter: a step with weights.kind = lora"),
        (adapter(1, init_lora_weights="pissa"), combination("cat"),
         "init_lora_weights = 'pissa': want an adapter of the model as it is stored"),
    ]  # fmt: skip
    for number, (folder, params, message) in enumerate(cases):
        with pytest.raises(UserError) as error:
            run(plain, folder, params, str(number))
        assert str(error.value) == f"{folder}: {message}"


@pytest.mark.parametrize(
    ("second", "params", "message"),
    [
        (1, combination("cat", weights=[1.0, -1.0]),
         "a and b by cat: the weighted updates sum to nothing: want other weights or density"),
        (2, combination("ties", density=0.001),
         "a and b by ties: the combination changes nothing: want other weights or density"),
    ],
    ids=["of nothing", "of zeros"],
)  # fmt: skip
def test_a_combination_that_changes_nothing_is_refused(
    adapter, run, second: int, params: Combination, message: str
) -> None:
    with pytest.raises(UserError) as error:
        run(adapter(1), adapter(second), params)
    assert str(error.value) == message


def test_linear_wants_equal_ranks(adapter, run) -> None:
    with pytest.raises(UserError) as error:
        run(adapter(1), adapter(2, r=2), combination("linear"))
    assert str(error.value) == "a and b: ranks [2, 4]: want equal ones for linear; or the method cat or svd"


def test_the_adapter_s_files_do_not_depend_on_chance(adapter, run) -> None:
    found = run(adapter(1), adapter(2), Combination(**PLAIN))
    config = json.loads((found.adapter / "adapter_config.json").read_text())

    assert {file.name for file in found.adapter.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert config["target_modules"] == sorted(config["target_modules"])
    assert (config["r"], config["lora_alpha"], config["use_rslora"], config["use_dora"]) == (8, 8, False, False)
    assert list(config) == sorted(config)
