"""Which modules an adapter changes, checked before training: PEFT passes over names that it does not find."""

from pathlib import Path
from typing import Any

from modelmake.errors import UserError


def check(
    model: Any,
    start: Path,
    target_modules: str | list[str],
    modules_to_save: list[str],
    trainable_token_indices: list[int],
    layers_to_transform: list[int] | None,
    quantized: bool,
) -> None:
    """Checks PEFT's fields against the model of folder `start`, of which shapes are enough.

    Args:
        quantized: whether its linear layers will be in 4 bits.

    Raises:
        UserError: a name, layer or token is not there, or what would be trained could not be merged.
    """
    problems = [
        *_names(model, target_modules, modules_to_save, quantized),
        *_ends(model, target_modules),
        *_tokens(model, target_modules, modules_to_save, trainable_token_indices),
    ]
    layers = model.config.get_text_config().num_hidden_layers
    for number in layers_to_transform or []:
        if not 0 <= number < layers:
            problems.append(f"layers_to_transform: {number}: want 0 to {layers - 1}")
    if problems:
        raise UserError("\n".join(f"weights.{problem}; the model is {start}" for problem in problems))


def _named(model: Any, name: str) -> dict[str, Any]:
    """{whole name: module} of the modules of that name, in any place."""
    return {
        whole: module
        for whole, module in model.named_modules(remove_duplicate=False)
        if f".{whole}".endswith(f".{name}")
    }


def _names(model: Any, target_modules: str | list[str], modules_to_save: list[str], quantized: bool) -> list[str]:
    import torch

    kinds = (torch.nn.Linear, torch.nn.Embedding)
    whole = {name: module for name, module in model.named_modules(remove_duplicate=False) if name}
    adaptable = sorted({name.rpartition(".")[2] for name, module in whole.items() if isinstance(module, kinds)})
    problems = []
    for name in target_modules if isinstance(target_modules, list) else []:
        found = _named(model, name)
        if not found or not all(isinstance(module, kinds) for module in found.values()):
            wanted = f"want names of linear layers or embeddings: {', '.join(adaptable)}"
            problems.append(f"target_modules: {name!r}: {'no such module' if not found else 'is none'}: {wanted}")
    for name in modules_to_save:
        found, also = _named(model, name), [other for other in whole if other.endswith(name)]
        if not found:
            problems.append(f"modules_to_save: {name!r}: no such module: want such as {', '.join(adaptable)}")
        elif others := [other for other in also if other not in found]:
            problems.append(f"modules_to_save: {name!r}: PEFT would train {others[0]} too: want {next(iter(found))!r}")
        elif quantized and any(
            isinstance(layer, torch.nn.Linear) and layer is not model.get_output_embeddings()
            for module in found.values() for layer in module.modules()
        ):  # fmt: skip
            problems.append(f"modules_to_save: {name!r}: is in 4 bits, which cannot be trained: want another module")
    return problems


def _ends(model: Any, target_modules: str | list[str]) -> list[str]:
    """An adapter of the output matrix, which TRL passes by, or of an embedding that is tied to it."""
    tied, problems = model.config.get_text_config().tie_word_embeddings, []
    for name in target_modules if isinstance(target_modules, list) else []:
        modules = _named(model, name).values()
        if any(module is model.get_output_embeddings() for module in modules):
            why = "is the output matrix, and TRL computes the loss from its weight, without an adapter"
            problems.append(f"target_modules: {name!r}: {why}: want it in modules_to_save")
        elif tied and any(module is model.get_input_embeddings() for module in modules):
            why = "is tied to the output matrix, and merging would change both"
            problems.append(f"target_modules: {name!r}: {why}: want it in modules_to_save, which unties them")
    return problems


def _tokens(
    model: Any, target_modules: str | list[str], modules_to_save: list[str], trainable_token_indices: list[int]
) -> list[str]:
    if not trainable_token_indices:
        return []
    embedding, problems = model.get_input_embeddings(), []
    if model.config.get_text_config().tie_word_embeddings:
        problems.append(
            "trainable_token_indices: embedding and output matrix are tied, and TRL computes the loss from the matrix "
            "as it was: want [], and the embedding in modules_to_save, which unties them"
        )
    for index in trainable_token_indices:
        if not 0 <= index < embedding.num_embeddings:
            problems.append(f"trainable_token_indices: {index}: want 0 to {embedding.num_embeddings - 1}")
    for field, names in {"target_modules": target_modules, "modules_to_save": modules_to_save}.items():
        for name in names if isinstance(names, list) else []:
            if any(module is embedding for module in _named(model, name).values()):
                problems.append(f"trainable_token_indices: {field} has {name!r}, their whole matrix: want one of both")
    return problems
