"""`modelmake review FIRST SECOND`: a page on which people judge two models' answers blind, and what they chose."""

import argparse
import os
from pathlib import Path
from typing import Any

from modelmake import params
from modelmake.errors import UserError
from stages import preflight
from stages.evaluating import scoring
from stages.reporting import annotations, html, reviews

TEMPLATES = [Path("stages/reporting/templates", name) for name in ("review", "page")]
PAGE = "page.html"  # the template


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs=2, metavar="MODEL", help="two of evaluate.models")
    parser.add_argument("--suite", help="of evaluate.suites; compare.suite if not given")
    parser.add_argument("--pairs", type=int, default=100, help="to judge, at most (100)")
    parser.add_argument("--seed", type=int, default=0, help="of the order of pairs and sides (0)")
    parser.add_argument(
        "--page",
        type=Path,
        help="to write; beside it the reviewers' folder; reviews/MODEL-MODEL-SUITE.html if not given",
    )


def run(options: argparse.Namespace) -> int:
    chapters, problems = preflight.decode(params.load(preflight.FILE))
    if problems:
        raise UserError("\n".join(problems))
    evaluate, suite = chapters["evaluate"], options.suite or chapters["compare"].suite
    for name, known in [*((model, evaluate.models) for model in options.models), (suite, evaluate.suites)]:
        if name not in known:
            raise UserError(f"review: {name!r}: want one of {', '.join(known)}, as evaluate in params.yaml has them")
    if options.pairs < 1:
        raise UserError(f"review: --pairs {options.pairs}: want 1 or more")
    first, second = (_answers(model, suite) for model in options.models)
    if [answer.id for answer in first] != [answer.id for answer in second]:
        raise UserError(f"review: {' and '.join(options.models)} answered different rows: run `dvc repro`")
    shown = reviews.pairs(first, second, options.seed)[: options.pairs]
    if not shown:
        raise UserError(f"review: {' and '.join(options.models)} answer {suite} alike: there is nothing to judge")
    page = Path(
        options.here, options.page or Path("reviews", f"{'-'.join([*sorted(options.models), suite])}.html").absolute()
    )
    folder = page.with_suffix("")
    if folder == page:
        raise UserError(f"review: --page {options.page}: want a name that ends in .html")
    folder.mkdir(parents=True, exist_ok=True)
    _write(page, shown)
    made = reviews.results(shown, annotations.read(folder, reviews.CHOICES))
    where = f"{os.path.relpath(page, options.here)}; CSV files of {os.path.relpath(folder, options.here)}/ are read"
    print("\n".join([f"review: {len(shown)} pairs of {suite}: {where}", *told(made, options.models, len(shown))]))
    return 0


def told(made: dict[str, Any], models: list[str], shown: int) -> list[str]:
    """What people chose, in lines."""
    lines = []
    for name, count in made["reviewers"].items():
        lines.append(f"{name}: {count} of {shown} judged")
    if made["gone"]:
        lines.append(f"{made['gone']} judged pairs are not on the page: the answers, the seed or --pairs changed")
    if made["pairs"]:
        lines.append(
            f"{models[0]} against {models[1]}: win rate {made['rate']:.3f} ({made['low']:.3f} to {made['high']:.3f}) "
            f"of {made['pairs']} pairs: {made['won']} won, {made['lost']} lost, {made['equal']} equal"
        )
    if made["of"]:
        lines.append(
            f"left was chosen {made['left_share']:.3f} ({made['left_low']:.3f} to {made['left_high']:.3f}) "
            f"of {made['of']} times"
        )
    for pair in made["agreement"]:
        kappa = "" if pair["kappa"] is None else f", kappa {pair['kappa']:.3f}"
        lines.append(f"{' and '.join(pair['annotators'])}: {pair['same']} of {pair['rows']} the same{kappa}")
    return lines


def _answers(model: str, suite: str) -> list[scoring.Answer]:
    path = Path(f"reports/evaluate/{model}-{suite}.jsonl")
    if not path.is_file():
        raise UserError(f"{path}: not there yet: run `dvc repro evaluate@{model}-{suite}`")
    answers = scoring.read(path)
    if answers and not any(answer.prompt for answer in answers):
        raise UserError(f"review: suite {suite} is of texts, which nobody answers: want one of questions")
    return answers


def _write(path: Path, shown: list[reviews.Pair]) -> None:
    """Writes the page, which does not say whose answers they are."""
    script = (TEMPLATES[0] / "page.js").read_text("utf-8")
    listed = [{"id": pair.id, "question": pair.question, "left": pair.left, "right": pair.right} for pair in shown]
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(html.render(TEMPLATES, PAGE, {"pairs": listed}, [script]), "utf-8")
    partial.replace(path)
