"""Writes the model card: model, data, training, scores, quantized files, limits.

Inputs:  weights     model folder that the card describes
         data        folder of the data stages' reports
         trained     folder of training logs
         comparison, gate, parity  what `compare` and `parity` wrote
         template    Jinja template of the card
Outputs: card        Markdown, with the metadata that the Hugging Face hub reads
Params:  card, compare, train, quantize
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2
import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages.params.evaluation import Compare
from stages.params.release import Card, Quant
from stages.params.training import Step
from stages.reporting import item_files

DATA_STAGES = ("ingest", "clean", "dedup", "split", "mix")


def read(folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """{name: content of <name>.json}."""
    return {name: msgspec.json.decode((folder / f"{name}.json").read_bytes()) for name in names}


def lineage(model: str, train: dict[str, Step]) -> list[str]:
    """The training steps from the base to a model, first to last."""
    steps: list[str] = []
    while model != "base":
        steps.insert(0, model)
        model = train[model].from_
    return steps


def main(
    weights: In, data: In, trained: In, comparison: In, gate: In, parity: In, template: In, card: Out,
    params: Card, compared: Compare, train: dict[str, Step], quantize: dict[str, Quant],
) -> str:  # fmt: skip
    item_files.check(parity, quantize)
    item_files.check(trained, ["base", *train])
    steps = lineage(params.model, train)
    metrics = msgspec.json.decode(comparison.read_bytes())[compared.suite]
    verdict = msgspec.json.decode(gate.read_bytes())
    text = jinja2.Template(template.read_text("utf-8"), undefined=jinja2.StrictUndefined, trim_blocks=True).render(
        card=params,
        config=msgspec.json.decode((weights / "config.json").read_bytes()),
        data=read(data, DATA_STAGES),
        base=read(trained, ["base"])["base"],
        steps={name: msgspec.to_builtins(train[name]) for name in steps},
        logs=read(trained, steps),
        metrics={model: metrics[model] for model in ("base", *steps) if model in metrics},
        confidence=compared.confidence,
        gate=verdict,
        parity=read(parity, sorted(quantize)),
        quantize=quantize,
    )
    card.write_text(text.rstrip() + "\n", "utf-8")
    return f"{params.name}: made by {' -> '.join(['base', *steps])}; gates {verdict['verdict']}"


if __name__ == "__main__":
    harness.run(main)
