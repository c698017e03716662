"""Scores what one model answered to one suite. No model runs here, so that another metric generates nothing anew.

Inputs:  rows     JSONL canonical rows of the suite
         answers  JSONL, as `answer` wrote them
Outputs: scored   JSONL {id, prompt, expected, answer, scores: {metric: statistics}}, in the order of the rows; of
                  several samples the first answer, and the sums of the statistics of all; of metrics that run
                  answers told: {metric: [what came of each sample]}
         scores   JSON {rows, metrics: {metric: value}, declared: {metric: {better, least, most, source}}}; and, if
                  there are any, unusable: {metric: rows whose expected answer lacks what it compares}, and
                  uncounted: [metrics that no row counts for: they have no value]; and, where answers have counts
                  of them, tokens: [of all prompts, of all answers]; and declined: requests that an
                  endpoint did not answer, whose tokens do not count
Params:  suites.<suite>
"""

from pathlib import Path

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.evaluating import answer_file, metrics, scoring
from stages.params.evaluation import AnySuite, Suite
from stages.rows import accounting, jsonl


def main(
    rows: In, answers: In, scored: Out, scores: Out, checkpoints: Checkpoints, suite: str, params: AnySuite
) -> str:  # fmt: skip
    held_out, given = jsonl.read(rows), answer_file.read(answers)
    kind = type(params).__struct_config__.tag
    if other := next((row for row in held_out if row.kind != kind), None):
        raise UserError(f"{rows}: {other.id} is a {other.kind}: suites.{suite} wants {kind}; change its rows")
    if [row.id for row in held_out] != [of_row.id for of_row in given]:
        raise UserError(f"{answers}: ids differ from those of {rows}: want answers to the same rows; run `dvc repro`")
    metrics.check_machine(params, f"suites.{suite}.metrics")
    unusable: dict[str, list[str]] = {}
    if isinstance(params, Suite):
        in_words = scoring.in_words(held_out)
        unusable = scoring.unusable(in_words, params)
        _check_usable(unusable, len(in_words), rows, suite)
        samples = [list(texts) for texts in zip(*(of_row.answers for of_row in given), strict=True)]
        scoring.prepare(held_out, samples, params, checkpoints)
        result = summed([scoring.score(held_out, texts, params) for texts in samples], params)
    else:
        result = scoring.score_texts(held_out, [of_row.likelihood for of_row in given], params)
    totals = scoring.totals(result)
    scoring.write(scored, result)
    declared = {name: metric._asdict() for name, metric in metrics.declared(params).items()}
    counts = {name: len(ids) for name, ids in unusable.items()}
    outcomes = scoring.outcomes(result)
    uncounted = [name for name in declared if name not in totals]
    tokens, declined = answer_file.tokens(given), sum(bool(of_row.declined) for of_row in given)
    found = (
        ("unusable", counts), ("uncounted", uncounted), ("outcomes", outcomes), ("tokens", tokens),
        ("declined", declined),
    )  # fmt: skip
    told = {name: of_name for name, of_name in found if of_name}
    accounting.write_json(scores, {"rows": len(held_out), "metrics": totals, "declared": declared, **told})
    notes = [f"; {n} expected answers lack what {name} compares" for name, n in counts.items()]
    notes += [f"; no row counts for {', '.join(uncounted)}"] if uncounted else []
    notes += [f"; {name}: {', '.join(f'{n} {what}' for what, n in of.items())}" for name, of in outcomes.items()]
    notes += [f"; {declined} requests were declined"] if declined else []
    values = ", ".join(f"{name} {value:.3f}" for name, value in totals.items())
    return f"{len(held_out)} rows: {values}{''.join(notes)}"


def summed(samples: list[list[scoring.Answer]], params: Suite) -> list[scoring.Answer]:
    """The first of several samples of answers to the same rows, with the statistics of all added up.

    A metric whose module has `of_samples` makes the row's statistics of these sums.
    """
    joining = metrics.of_modules(params, "of_samples")

    def joined(name: str, of_samples: list[metrics.Statistics]) -> metrics.Statistics:
        sums = metrics.added(of_samples)
        return joining[name](*sums) if name in joining else sums

    return [
        msgspec.structs.replace(
            answers[0],
            scores={name: joined(name, [a.scores[name] for a in answers]) for name in answers[0].scores},
            told={name: [text for a in answers for text in a.told[name]] for name in answers[0].told},
        )
        for answers in zip(*samples, strict=True)
    ]


def _check_usable(unusable: dict[str, list[str]], in_words: int, rows: Path, suite: str) -> None:
    """Checks that every metric has something to compare.

    Raises:
        UserError: one lacks it in every row that expects no calls.
    """
    for name, ids in unusable.items():
        if len(ids) == in_words:
            raise UserError(
                f"{rows}: suites.{suite}.metrics: {name}: no expected answer has what it compares, such as that of "
                f"{ids[0]}; mend the rows, or leave it out"
            )


if __name__ == "__main__":
    harness.run(main)
