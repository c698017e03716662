"""Checks of combinations: what their adapters are, and whether the method can add them. Only preflight imports it."""

from collections.abc import Iterator
from typing import Any

from stages.params.adoption import Adoption
from stages.params.combination import Combination
from stages.params.training import Step
from stages.params.weights import CHANGE_THE_BASE, Lora


def problems(train: dict[str, Step], combine: dict[str, Combination], adopt: dict[str, Adoption]) -> list[str]:
    """What is wrong, a line each. Names that do not exist are for cross_checks."""
    found = []
    for name, entry in combine.items():
        if not entry or len(entry.adapters) != 2:
            continue
        for number, adapter in enumerate(entry.adapters):
            made = combine.get(adapter) or train.get(adapter)
            where = f"combine.{name}.adapters[{number}] = {adapter!r}"
            if adapter == "base" or adapter in adopt:
                found.append(f"{where}: want a step that trains an adapter, or a combination by cat")
            elif made:
                found += [f"{where}: {problem}" for problem in _problems(entry, made)]
        ranks = {_rank(adapter, train, combine) for adapter in entry.adapters} - {None}
        if entry.method != "cat" and not entry.svd_rank and len(ranks) > 1:
            found.append(
                f"combine.{name}.method = {entry.method!r}: want cat or svd for adapters of ranks "
                f"{' and '.join(map(str, sorted(ranks)))}"
            )
    return found


def _problems(entry: Combination, made: Step | Combination) -> Iterator[str]:
    for field in ("from", "quantization"):
        theirs, ours = (getattr(each, "from_" if field == "from" else field) for each in (made, entry))
        if theirs != ours:
            yield f"{field} = {_words(theirs)}: want that of the combination, {_words(ours)}: both change one model"
    if isinstance(made, Combination):
        if made.method != "cat":
            yield f"method = {made.method!r}: want cat, which is exact: the error of this one would not show"
        return
    weights = made.weights
    if not isinstance(weights, Lora):
        yield f"weights.kind = {type(weights).__struct_config__.tag!r}: want lora, which leaves an adapter"
        return
    if weights.use_dora and not entry.svd_rank:
        yield f"weights.use_dora = True: want svd or another method of svd: {entry.method} cannot add magnitudes"
    for field in ("modules_to_save", "trainable_token_indices"):
        if getattr(weights, field):
            yield f"weights.{field} = {getattr(weights, field)!r}: want []: a combination would lose whole weights"


def _words(value: Any) -> str:
    return repr(value) if isinstance(value, str) else "null" if value is None else "4 bits, as it has them"


def _rank(
    adapter: str, train: dict[str, Step], combine: dict[str, Combination], outer: tuple[str, ...] = ()
) -> int | None:
    """The rank of an adapter; None where that is not known, as in a circle."""
    if adapter in outer:
        return None
    if inner := combine.get(adapter):
        ranks = [_rank(name, train, combine, (*outer, adapter)) for name in inner.adapters]
        return None if None in ranks else sum(ranks)
    weights = getattr(train.get(adapter), "weights", None)
    if not isinstance(weights, Lora):
        return None
    return weights.r * (2 if weights.init_lora_weights in CHANGE_THE_BASE else 1)  # saved as the change of its start
