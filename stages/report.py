"""Writes one plain, self-contained page about the build: verdict, rows, losses, scores, answers side by side.

Inputs:  data, trained, evaluations, comparison, gate, parity  what the stages before wrote
         template  Jinja template of the page
Outputs: report    one HTML file that asks nothing of the network
Params:  report, compare, evaluate, train, quantize
"""

from pathlib import Path
from typing import Any

import jinja2
import msgspec

from modelmake import harness
from modelmake.signature import In, Out
from stages import gathering, scoring
from stages.params.evaluation import Compare, Evaluate
from stages.params.release import Quant, Report
from stages.params.training import Step

DATA_STAGES = ("ingest", "clean", "dedup", "split")


def polyline(history: list[dict[str, Any]], name: str, width: int, height: int) -> str:
    """The points of a curve of `name` over steps, for an SVG of this size; losses share one scale from zero."""
    points = [(entry["step"], entry[name]) for entry in history if name in entry]
    if not points:
        return ""
    last = max(entry["step"] for entry in history)
    top = max(entry[key] for entry in history for key in ("loss", "eval_loss") if key in entry)
    return " ".join(f"{width * s / last:.1f},{height * (1 - v / top):.1f}" for s, v in points)


def side_by_side(answers: dict[str, list[scoring.Answer]], examples: int) -> list[dict[str, Any]]:
    """The first questions by id with everyone's answer, those first where the last model is wrong."""
    everyone = list(answers.values())
    rows = [
        {"prompt": column[0].prompt, "expected": column[0].expected,
         "answers": {who: (a.answer, a.scores["exact_match"][0] == 1) for who, a in zip(answers, column, strict=True)}}
        for column in zip(*everyone, strict=True)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: list(row["answers"].values())[-1][1])[:examples]


def main(
    data: In, trained: In, evaluations: In, comparison: In, gate: In, parity: In, template: In, report: Out,
    params: Report, compared: Compare, evaluate: Evaluate, train: dict[str, Step], quantize: dict[str, Quant],
) -> str:  # fmt: skip
    gathering.check(parity, quantize)
    gathering.check(trained, ["base", *train])
    suite = compared.suite
    verdict = read(gate)
    answers = {model: scoring.read(evaluations / f"{model}-{suite}.jsonl") for model in evaluate.models}
    answers |= {quant: scoring.read(parity / f"{quant}.jsonl") for quant in sorted(quantize)}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True)
    environment.globals["polyline"] = polyline
    page = environment.from_string(template.read_text("utf-8")).render(
        title=params.title,
        gate=verdict,
        data={name: read(data / f"{name}.json") for name in DATA_STAGES},
        logs={name: read(trained / f"{name}.json") for name in ("base", *train)},
        metrics=read(comparison)[suite],
        confidence=compared.confidence,
        parity={name: read(parity / f"{name}.json") for name in sorted(quantize)},
        questions=side_by_side(answers, params.examples),
    )
    report.write_text(page, "utf-8")
    return f"gates {verdict['verdict']}; look at reports/index.html, reports/card.md and reports/metrics.json"


def read(file: Path) -> Any:
    return msgspec.json.decode(file.read_bytes())


if __name__ == "__main__":
    harness.run(main)
