"""Combines two adapters of one start model into an adapter and a full model, and says how exact the combination is.

Inputs:  start   model folder that both adapters were trained from
         first, second  folders of the adapters: adapter_model.safetensors and adapter_config.json
Outputs: adapter  folder of the same two files: plain LoRA
         merged   complete model folder: weights, tokenizer, chat template
         report   JSON {adapters, weights, method, rank, layers, relative_error, worst: {layer, relative_error}}: how
                  far the updates of all layers are from the exact weighted sums, as a share of these (Frobenius norms)
Params:  combine.<combination>
"""

from pathlib import Path
from typing import Any

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.params.combination import Combination
from stages.rows import accounting
from stages.training import combining, merging
from stages.training.combining import Distance, Factors

FACTORS = ("lora_A.weight", "lora_B.weight", "lora_magnitude_vector")  # ends of names in an adapter's file
PAIR, COMBINED = ("first", "second"), "combined"  # in PEFT, which allows not every name of a step


def check(folder: Path, params: Combination) -> None:
    """Checks that an adapter holds nothing that a combination by this method would lose.

    Raises:
        UserError: it is no LoRA of the model as it is stored, holds other weights, or DoRA's magnitudes.
    """
    from safetensors import safe_open

    def refuse(found: str, wanted: str) -> UserError:
        return UserError(f"{folder}: {found}: want {wanted}")

    if not (folder / "adapter_config.json").exists():
        raise refuse("no adapter_config.json", "the folder of an adapter: a step with weights.kind = lora")
    config = msgspec.json.decode((folder / "adapter_config.json").read_bytes())
    if config["peft_type"] != "LORA":
        raise refuse(f"peft_type = {config['peft_type']!r}", "LORA: only its updates can be added")
    if config["init_lora_weights"] not in (True, False, "gaussian", "orthogonal"):
        raise refuse(f"init_lora_weights = {config['init_lora_weights']!r}", "an adapter of the model as it is stored")
    with safe_open(folder / "adapter_model.safetensors", "pt") as file:
        names = sorted(file.keys())
    if others := [name for name in names if not name.endswith(FACTORS)]:
        raise refuse(f"holds {', '.join(others[:3])}", "factors of linear layers only: a combination would lose others")
    if not params.svd_rank and any(name.endswith(FACTORS[2]) for name in names):
        raise refuse(f"holds magnitudes of DoRA, which {params.method} cannot add", "svd or another method of svd")


def lora_layers(model: Any) -> dict[str, Any]:
    """{name in the model without adapters: layer} of PEFT's layers."""
    from peft.tuners.lora import LoraLayer

    named = model.base_model.model.named_modules()
    return {name: layer for name, layer in named if isinstance(layer, LoraLayer)}


def changed_by(layer: Any, weights: list[float]) -> dict[str, float]:
    """{adapter: its weight} of the pair, as far as they change a layer."""
    return {name: weight for name, weight in zip(PAIR, weights, strict=True) if name in layer.lora_A}


def combine(layers: dict[str, Any], params: Combination) -> dict[str, Factors]:
    """{layer: its combined update}, all of one rank.

    Raises:
        UserError: the method wants equal ranks.
    """
    import torch

    torch.manual_seed(params.seed or 0)  # dare keeps numbers by chance
    ranks = [{layer.r[name] for layer in layers.values() if name in layer.r} for name in PAIR]
    if params.method == "cat":
        rank = sum(map(max, ranks))
    elif params.svd_rank:
        rank = params.svd_rank
    elif len(set.union(*ranks)) == 1:
        [rank] = set.union(*ranks)
    else:
        raise UserError(
            f"{' and '.join(params.adapters)}: ranks {sorted(set.union(*ranks))}: want equal ones for {params.method}; "
            "or the method cat or svd"
        )
    combined = {}
    for place, layer in layers.items():
        present = changed_by(layer, params.weights)
        factors = [Factors(layer.lora_A[n].weight.data, layer.lora_B[n].weight.data, layer.scaling[n]) for n in present]
        updates = [combining.update(layer, n) for n in present] if params.svd_rank else []
        combined[place] = combining.combine(params, factors, updates, list(present.values()), rank)
    return combined


def save(combined: dict[str, Factors], folder: Path, start: Path) -> None:
    """Saves an adapter as PEFT loads it. Its config depends on no set order."""
    from peft import LoraConfig
    from safetensors.torch import save_file

    rank = len(next(iter(combined.values())).A)
    config = LoraConfig(
        task_type="CAUSAL_LM", r=rank, lora_alpha=rank, target_modules=[*combined], inference_mode=True,
        base_model_name_or_path=str(start),
    )  # fmt: skip
    folder.mkdir()
    values = config.to_dict() | {"target_modules": sorted(combined)}
    accounting.write_json(folder / "adapter_config.json", dict(sorted(values.items())))
    tensors = {}
    for place, factors in combined.items():
        for end, matrix in zip(FACTORS, (factors.A, factors.B), strict=False):
            tensors[f"base_model.model.{place}.{end}"] = matrix.float().contiguous()
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})


def measure(layers: dict[str, Any], params: Combination) -> Distance:
    """How far the combined adapter is from the exact weighted sum of the updates of the pair.

    Raises:
        UserError: there is nothing to compare, because one of them changes nothing.
    """
    distance = Distance()
    for place, layer in layers.items():
        present = changed_by(layer, params.weights)
        exact = sum(weight * combining.update(layer, name) for name, weight in present.items())
        distance.add(place, combining.update(layer, COMBINED), exact)
    if not distance.exact or not distance.norm:
        found = "the combination changes nothing" if distance.exact else "the weighted updates sum to nothing"
        raise UserError(f"{' and '.join(params.adapters)} by {params.method}: {found}: want other weights or density")
    return distance


def main(
    start: In, first: In, second: In, adapter: Out, merged: Out, report: Out, combination: str, params: Combination
) -> str:
    for folder in (first, second):
        check(folder, params)
    from peft import PeftModel
    from transformers import AutoTokenizer

    loaded = merging.load(start, params.quantization, "CAUSAL_LM")
    model = PeftModel.from_pretrained(loaded, str(first), adapter_name=PAIR[0])
    model.load_adapter(str(second), adapter_name=PAIR[1])
    combined = combine(lora_layers(model), params)
    save(combined, adapter, start)
    model.load_adapter(str(adapter), adapter_name=COMBINED)  # as others will read it
    distance = measure(lora_layers(model), params)
    model.merge_and_unload(safe_merge=True, adapter_names=[COMBINED]).save_pretrained(merged)
    AutoTokenizer.from_pretrained(start).save_pretrained(merged)

    layer, worst = distance.worst()
    rank = len(next(iter(combined.values())).A)
    values = {"adapters": params.adapters, "weights": params.weights, "method": params.method, "rank": rank}
    accounting.write_json(
        report,
        {
            **values, "layers": len(combined), "relative_error": distance.relative(),
            "worst": {"layer": layer, "relative_error": worst},
        },
    )  # fmt: skip
    terms = " + ".join(f"{weight:g} x {name}" for weight, name in zip(params.weights, params.adapters, strict=True))
    return (
        f"{terms} by {params.method}: rank {rank} in {len(combined)} layers; {distance.relative():.2g} of the exact "
        f"sum is missing or wrong, at most {worst:.2g} ({layer})"
    )


if __name__ == "__main__":
    harness.run(main)
