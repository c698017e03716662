"""Checks of `quantize`: names of entries, rows to calibrate on, and sizes of the base. Only preflight imports this."""

import json
from collections import Counter
from pathlib import Path

from stages.exporting import tensor_sources
from stages.params.base_model import Base, Folder, Tiny
from stages.params.release import Llmcompressor, Quant

FILE = "params.yaml"
WHOLE = ("embed", "lm_head", "wte", "wpe")  # in names of matrices that only GGUF files quantize


def problems(quantize: dict[str, Quant | None]) -> list[str]:
    """What is wrong with the entries, a line each."""
    found = []
    for name, quant in quantize.items():
        if not quant:
            continue
        if name not in quant.TYPES:
            tool = type(quant).__struct_config__.tag
            found.append(f"quantize: name {name!r}: want one of {', '.join(quant.TYPES)} with tool = {tool}")
            continue
        wanted, where = quant.TYPES[name].calibration, f"quantize.{name}"
        if wanted == "needed" and not quant.calibration:
            found.append(f"{where}.calibration = None: want rows: {name} is calibrated on them")
        if wanted == "none" and quant.calibration:
            found.append(f"{where}.calibration: want null: {name} uses the weights alone")
        if isinstance(quant, Llmcompressor) and bool(quant.max_seq_length) != bool(quant.calibration):
            wanted = "the number of tokens at which its rows are cut" if quant.calibration else "null: no row is read"
            found.append(f"{where}.max_seq_length = {quant.max_seq_length}: want {wanted}")
    return found


def size_problems(base: Base | None, quantize: dict[str, Quant | None]) -> list[str]:
    """Types that the tool refuses to make of matrices as wide as the base's."""
    widths = matrix_widths(base)
    found = []
    for name, quant in quantize.items():
        if not quant or quant.FALLS_BACK or name not in quant.TYPES:
            continue
        multiple = quant.TYPES[name].multiple
        others = sorted({width for matrix, width in widths.items()
                         if width % multiple and not any(part in matrix for part in WHOLE)})  # fmt: skip
        if others:
            fit = [other for other, target in quant.TYPES.items() if target.multiple == 1]
            found.append(
                f"{FILE}: quantize.{name}: the base has matrices with rows of {', '.join(map(str, others))} weights: "
                f"want multiples of {multiple}; take {' or '.join(fit)}, or a GGUF type"
            )
    return found


def size_notes(base: Base | None, quantize: dict[str, Quant]) -> list[str]:
    """What is stored in another type than an entry names, of a base as wide as this one."""
    widths = matrix_widths(base)
    found = []
    for name, quant in quantize.items():
        multiple = quant.TYPES[name].multiple if quant.FALLS_BACK else 1
        others = Counter(width for width in widths.values() if width % multiple)
        if others:
            rows = ", ".join(f"{n} with rows of {width}" for width, n in sorted(others.items()))
            found.append(
                f"quantize.{name}: {others.total()} of {len(widths)} matrices will be stored in other types, their "
                f"weights in a row being no multiple of {multiple} ({rows}): the file will be larger"
            )
    return found


def matrix_widths(base: Base | None) -> dict[str, int]:
    """{matrix: weights in a row} of the base, and so of every model made from it.

    Empty where that is not known before the build: of a pin of the hub.
    """
    if isinstance(base, Tiny):
        hidden, inner = base.hidden_size, base.intermediate_size
        layer = dict.fromkeys(("q", "k", "v", "o", "gate", "up"), hidden) | {"down": inner}
        layers = range(base.num_hidden_layers)
        return {"embed_tokens": hidden} | {f"{i}.{name}": width for i in layers for name, width in layer.items()}
    folder = Path(base.source) if isinstance(base, Folder) else None
    if not folder or not tensor_sources.has_weights(folder):
        return {}
    config = folder / "config.json"
    tied = config.is_file() and json.loads(config.read_text("utf-8")).get("tie_word_embeddings", False)
    return {
        name: source.shape[-1] for name, source in tensor_sources.read(folder)
        if len(source.shape) == 2 and not (tied and name == "lm_head.weight")
    }  # fmt: skip
