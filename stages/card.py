"""Writes the model card: model, data, training, scores, quantized files, limits.

Inputs:  config      config.json of the model that the card describes
         data        folder of the data stages' reports
         trained     folder of training logs, and of reports of combinations
         comparison, gate  JSON, as `compare` wrote them
         parity      folder of <quant>.json, as `parity` wrote them
         template    Jinja template of the card
Outputs: card        Markdown, with the metadata that the Hugging Face hub reads
Params:  card, datasheet, compare, train, combine, adopt, quantize
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages.params import licences
from stages.params.adoption import Adoption
from stages.params.combination import Combination
from stages.params.data import Datasheet
from stages.params.evaluation import Compare
from stages.params.release import Card, Quant
from stages.params.training import Step
from stages.reporting import item_files, step_rows

DATA_STAGES = ("ingest", "clean", "dedup", "split", "mix")


class Inputs(NamedTuple):
    config: In
    data: In
    trained: In
    comparison: In
    gate: In
    parity: In
    template: In


def read(folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """{name: content of <name>.json}."""
    return {name: msgspec.json.decode((folder / f"{name}.json").read_bytes()) for name in names}


def lineage(model: str, train: dict[str, Step], others: dict[str, Combination | Adoption]) -> list[str]:
    """The training steps, combinations and adoptions from the base to a model, first to last."""
    if model == "base":
        return []
    starts = [train[model].from_] if model in train else others[model].starts().values()
    before = dict.fromkeys(name for start in starts for name in lineage(start, train, others))
    return [*before, model]


def base_licence(log: dict[str, Any], datasheet: Datasheet) -> str | None:
    """The licence that the base declares; one that was pretrained here has that of the rows."""
    return datasheet.license if log["kind"] == "tiny" else log.get("license")


def main(
    inputs: Inputs, card: Out, params: Card, datasheet: Datasheet, compare: Compare, train: dict[str, Step],
    combine: dict[str, Combination], adopt: dict[str, Adoption], quantize: dict[str, Quant],
) -> str:  # fmt: skip
    item_files.check(inputs.parity, quantize)
    item_files.check(inputs.trained, ["base", *train, *combine])
    made = lineage(params.model, train, combine | adopt)
    steps = [name for name in made if name in train]
    data, logs = read(inputs.data, DATA_STAGES), read(inputs.trained, steps)
    metrics = msgspec.json.decode(inputs.comparison.read_bytes())[compare.suite]
    gate = msgspec.json.decode(inputs.gate.read_bytes())
    base = read(inputs.trained, ["base"])["base"]
    terms = (datasheet.license, base_licence(base, datasheet), params.license)  # of the data, the base, the release
    template = jinja2.Template(inputs.template.read_text("utf-8"), undefined=jinja2.StrictUndefined, trim_blocks=True)
    text = template.render(
        card=params,
        config=msgspec.json.decode(inputs.config.read_bytes()),
        data=data,
        base=base,
        terms=dict(zip(("data", "base", "release"), terms, strict=True)),
        conflicts=licences.conflicts(*terms),
        unknown=licences.unknown(*terms),
        steps={name: msgspec.to_builtins(train[name]) for name in steps},
        combinations={name: combine[name] for name in made if name in combine},
        distances=read(inputs.trained, [name for name in made if name in combine]),
        adoptions={name: adopt[name] for name in made if name in adopt},
        logs=logs,
        rows={
            name: step_rows.count(train[name].rows, logs[name], data["mix"], inputs.trained / f"{name}.consumed.jsonl")
            for name in steps
        },
        metrics={model: metrics[model] for model in ("base", *made) if model in metrics},
        confidence=compare.confidence,
        gate=gate,
        parity=read(inputs.parity, sorted(quantize)),
        quantize=quantize,
    )
    card.write_text(text.rstrip() + "\n", "utf-8")
    return f"{params.name}: made by {' -> '.join(['base', *made])}; gates {gate['verdict']}"


if __name__ == "__main__":
    harness.run(main)
