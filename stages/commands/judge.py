"""`modelmake judge calibrate SUITE RUBRIC`: how far people bear a judge out, by the marks that they gave.

Reads what the build left and what people saved, asks nobody, and writes data/judge/<suite>.<rubric>.json, with which
the next build corrects the judge's scores. For rubrics of single answers it writes the sheets that people fill in;
pairs are judged on the pages of `modelmake review MODEL BASELINE`.
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake import params
from modelmake.errors import UserError
from stages import preflight
from stages.evaluating import scoring
from stages.evaluating.judging import agreement, asking, calibration, people, published
from stages.evaluating.judging.agreement import Case, Estimate
from stages.evaluating.judging.calibration import Binding, Calibration
from stages.evaluating.judging.people import Shown
from stages.evaluating.scoring import Answer
from stages.params.judging import Pairwise, Rubric
from stages.params.judging_checks import CALIBRATIONS
from stages.reporting import annotations

EVALUATIONS, REVIEWS = Path("reports/evaluate"), Path("reviews")


class Judged(NamedTuple):
    """A model's answers as people and the judge saw them."""

    own: list[Answer]
    others: list[Answer]  # of compare.baseline
    marks: list[list[str] | None]  # the judge's of each row; None where it gave none
    shown: list[Shown]
    people: dict[str, str]  # {what was shown: people's mark}
    counted: list[Shown]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["calibrate"])
    parser.add_argument("suite", help="of evaluate.judge")
    parser.add_argument("rubric", help="of evaluate.judge.SUITE.rubrics")
    parser.add_argument("--rows", type=int, default=100, help="of a sheet for people to mark (100)")
    parser.add_argument("--seed", type=int, default=0, help="of the order in which people see answers (0)")


def run(options: argparse.Namespace) -> int:
    chapters, problems = preflight.decode(params.load(preflight.FILE))
    if problems:
        raise UserError("\n".join(problems))
    evaluate, suite, name = chapters["evaluate"], options.suite, options.rubric
    if not evaluate.judge:
        raise UserError("judge: params.yaml has no evaluate.judge: want one; docs/judge.md")
    if suite not in evaluate.judge:
        raise UserError(f"judge: {suite!r}: want one of {', '.join(evaluate.judge)}, as evaluate.judge has them")
    rubrics = evaluate.judge[suite].rubrics
    if name not in rubrics:
        raise UserError(
            f"judge: {name!r}: want one of {', '.join(rubrics)}, as evaluate.judge.{suite}.rubrics has them"
        )
    if options.rows < 1:
        raise UserError(f"judge: --rows {options.rows}: want 1 or more")
    rubric, baseline = rubrics[name], chapters["compare"].baseline
    models = [m for m in evaluate.models if m != baseline or not isinstance(rubric, Pairwise)]
    bound = _binding(models, suite, name)
    folders = {model: _folder(rubric, model, baseline, suite, name, bound) for model in models}
    judged = {model: _judged(rubric, name, model, baseline, suite, folders[model], options.seed) for model in models}
    if not isinstance(rubric, Pairwise):
        _check_sheets(folders, rubric)
        for model, of_model in judged.items():
            _write_sheet(folders[model].with_suffix(".csv"), of_model, options.rows)
    lines = [_told(model, folders[model], of_model) for model, of_model in judged.items()]
    cases = {model: found for model, of_model in judged.items() if (found := cases_of(rubric, of_model))}
    if not cases:
        raise UserError(
            "\n".join([*lines, f"judge: no marks of people: want some; {_how(rubric, baseline, suite, folders)}"])
        )
    found = calibrated(rubric, judged, cases, bound, options.seed)
    CALIBRATIONS.mkdir(parents=True, exist_ok=True)
    path = calibration.path(CALIBRATIONS, suite, name)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    partial.replace(path)
    print("\n".join([*lines, *told(found), f"written: {path}; `dvc repro` uses it"]))
    return 0


def calibrated(
    rubric: Rubric, judged: dict[str, Judged], cases: dict[str, list[Case]], binding: Binding, seed: int
) -> Calibration:
    """What people's marks say of the judge. All pairs that it judged tell its bias by position."""
    pairs, together = isinstance(rubric, Pairwise), [case for of_model in cases.values() for case in of_model]
    firsts = [
        (answer.prompt, asking.firsts(marks))
        for of_model in judged.values() if pairs
        for answer, marks in zip(of_model.own, of_model.marks, strict=True) if marks
    ]  # fmt: skip
    return Calibration(
        binding=binding,
        seed=seed,
        marks={model: {item.id: of_model.people[item.id] for item in of_model.counted}
               for model, of_model in judged.items() if of_model.counted},
        agreement={model: agreement.agreement(of_model) for model, of_model in cases.items()},
        kappa=agreement.kappa(together, len(rubric.marks)),
        verbosity=agreement.verbosity(together, pairs),
        position=agreement.position(firsts),
        consistency=agreement.consistency(firsts),
    )  # fmt: skip


def cases_of(rubric: Rubric, judged: Judged) -> list[Case]:
    """What both people and the judge marked, of a model."""
    result = []
    for item in judged.counted:
        row = item.rows[0]
        if (marks := judged.marks[row]) is None:
            continue
        mark, answer, other = judged.people[item.id], judged.own[row], judged.others[row]
        by_people, by_judge = people.score(rubric, mark, item), asking.score(rubric, marks)
        if isinstance(rubric, Pairwise):
            numbers = agreement.side(by_people), agreement.side(by_judge)
            chars = len(answer.answer) - len(other.answer)
        else:
            numbers = rubric.marks.index(mark), rubric.marks.index(marks[0])
            chars = len(answer.answer)
        result.append(Case(answer.prompt, *numbers, by_judge - by_people, chars))
    return result


def told(found: Calibration) -> list[str]:
    """What was found, in lines."""
    lines = []
    for model, estimate in found.agreement.items():
        enough = estimate.value >= calibration.MIN_AGREEMENT
        verdict = "enough for a gate" if enough else f"too little for a gate, which wants {calibration.MIN_AGREEMENT:g}"
        lines.append(f"agreement on {model} {_words(estimate)}: {verdict}")
    lines.append(
        f"kappa {_words(found.kappa)}" if found.kappa else "kappa: none, as people and judge gave one same mark to all"
    )
    if found.verbosity:
        lines.append(f"error towards longer answers {_words(found.verbosity)}")
    if found.position and found.consistency:
        lines.append(f"first place preferred more often than half by {_words(found.position)}")
        lines.append(f"the same in both orders {_words(found.consistency)}")
    return lines


def _words(estimate: Estimate) -> str:
    words = f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f}) of {estimate.of}"
    empty = f", without {estimate.empty_draws:,} of {agreement.SAMPLES:,} draws that have none"
    return words + (empty if estimate.empty_draws else "")


def _folder(rubric: Rubric, model: str, baseline: str, suite: str, name: str, bound: Binding) -> Path:
    """Where people's CSV files are. Marks by other criteria are in another folder: they bear out nothing here."""
    models = sorted([model, baseline]) if isinstance(rubric, Pairwise) else [model]
    return REVIEWS / "-".join([*models, suite, name, bound.rubric[:8]])


def _judged(rubric: Rubric, name: str, model: str, baseline: str, suite: str, folder: Path, seed: int) -> Judged:
    own, others = (_answers(of, suite) for of in (model, baseline))
    marks = [
        row.marks.get(name) for row in published.read(_built(f"{model}-{suite}{published.MARK}jsonl", model, suite))
    ]
    if [answer.id for answer in own] != [answer.id for answer in others]:
        raise UserError(f"{EVALUATIONS}: {model} and {baseline} answered different rows of {suite}: run `dvc repro`")
    if calibration.of_answers(own, others) != _scores(model, suite)["answers"]:
        raise UserError(
            f"{EVALUATIONS}: {model}-{suite}: other answers were judged: run `dvc repro judge@{model}-{suite}`"
        )
    shown = people.shown(rubric, own, others, seed)
    allowed = people.CHOICES if isinstance(rubric, Pairwise) else rubric.marks
    by_person = annotations.read(folder, allowed) if folder.is_dir() else {}
    votes: dict[str, list[str]] = {}
    for of_person in by_person.values():
        for id, annotation in of_person.items():
            votes.setdefault(id, []).append(annotation.verdict)
    majority = {id: people.majority(rubric, of_id) for id, of_id in votes.items()}
    return Judged(own, others, marks, shown, majority, people.counted(shown, majority))


def _answers(model: str, suite: str) -> list[Answer]:
    path = EVALUATIONS / f"{model}-{suite}.jsonl"
    if not path.is_file():
        raise UserError(f"{path}: not there yet: run `dvc repro evaluate@{model}-{suite}`")
    return scoring.read(path)


def _built(file: str, model: str, suite: str) -> Path:
    path = EVALUATIONS / file
    if not path.is_file():
        raise UserError(f"{path}: not there yet: run `dvc repro judge@{model}-{suite}`")
    return path


def _scores(model: str, suite: str) -> dict[str, Any]:
    return msgspec.json.decode(_built(f"{model}-{suite}{published.MARK}json", model, suite).read_bytes())


def _binding(models: Sequence[str], suite: str, rubric: str) -> Binding:
    """The judge, prompt and rubric that gave the marks of the build.

    Raises:
        UserError: those of models differ.
    """
    told = {model: _scores(model, suite)["rubrics"] for model in models}
    if lacking := [model for model in models if rubric not in told[model]]:
        raise UserError(f"{EVALUATIONS}: {', '.join(lacking)} were not judged by {rubric} yet: run `dvc repro`")
    bindings = {msgspec.convert(of_model[rubric]["binding"], Binding) for of_model in told.values()}
    if len(bindings) > 1:
        raise UserError(f"{EVALUATIONS}: {', '.join(models)} were judged by different judges: run `dvc repro`")
    return bindings.pop()


def _check_sheets(folders: dict[str, Path], rubric: Rubric) -> None:
    """Raises a UserError if somebody filled in a sheet in its place, where it would be written anew."""
    sheets = {folder: folder.with_suffix(".csv") for folder in folders.values()}
    if filled := [folder for folder, sheet in sheets.items() if sheet.is_file() and _has_marks(sheet, rubric)]:
        raise UserError(
            "\n".join(
                f"{sheets[folder]}: has verdicts, and would be written anew: want them in {folder}/, in a file by the "
                f"name of who marked: `mkdir -p {folder}; mv {sheets[folder]} {folder}/NAME.csv`"
                for folder in filled
            )
        )


def _has_marks(sheet: Path, rubric: Rubric) -> bool:
    return any(True for _ in annotations.read_file(sheet, rubric.marks))


def _write_sheet(path: Path, judged: Judged, rows: int) -> None:
    """Writes the first answers that people shall mark, as CSV; who gave them is in the name of the file alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "question", "expected", "answer", "verdict", "note"])
        for item in judged.shown[:rows]:
            answer = judged.own[item.rows[0]]
            cells = [item.id, answer.prompt, answer.expected, answer.answer, "", ""]
            writer.writerow([annotations.escape_formula(cell) for cell in cells])
    partial.replace(path)


def _told(model: str, folder: Path, judged: Judged) -> str:
    known = {item.id for item in judged.shown}
    here = sum(id in known for id in judged.people)
    line = f"{model}: {len(judged.counted)} of {len(judged.shown)} marked in {folder}/"
    if gone := len(judged.people) - here:
        line += f"; {gone} marks are of other answers"
    if after := here - len(judged.counted):
        line += f"; {after} marks do not count, as number {len(judged.counted) + 1} in their order has none"
    unjudged = sum(judged.marks[item.rows[0]] is None for item in judged.counted)
    return line + (f"; {unjudged} of them without a mark of the judge" if unjudged else "")


def _how(rubric: Rubric, baseline: str, suite: str, folders: dict[str, Path]) -> str:
    if isinstance(rubric, Pairwise):
        return " or ".join(
            f"`modelmake review {model} {baseline} --suite {suite} --page {folder}.html`"
            for model, folder in folders.items()
        )
    return (
        f"write {' or '.join(rubric.marks)} as verdicts into a sheet, and save it by your name in the folder beside it"
    )
