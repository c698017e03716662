"""Answers a task of lm-eval with one model, and takes lm-eval's scores of these answers.

Inputs:  weights  model folder
         data     folder of the task: <task>.yaml, or the data of one of lm-eval's own
Outputs: scored   JSONL {id, prompt, expected, answer, scores: {metric: statistics}}, as `evaluate` writes of a suite;
                  a prompt has its choices below it, and the answer to it is the likeliest of them
         scores   JSON {rows, metrics: {metric: value}, declared: {metric: {better, least, most, source}}, stderr:
                  {metric: lm-eval's standard error, where it has one}}; and, if there are any, held_back: questions
                  that were among those that shots are drawn from, spaced: {metric: answers that are wrong, and right
                  but for white space}, unscored: {metric: rows that the task gives no such score}, without_answer:
                  questions without a right choice, cut: answers that had not ended at max_gen_toks
Params:  evaluate.tasks.<task>, machine
"""

from modelmake import harness
from modelmake.signature import Checkpoints, In, Out
from stages.evaluating import scoring
from stages.evaluating.lm_eval import answering
from stages.evaluating.lm_eval import scores as meanings
from stages.evaluating.lm_eval.answering import Answers, Settings
from stages.evaluating.lm_eval.bridge import Bridge, Request, Scored
from stages.params.lm_eval import Task
from stages.params.machine import Machine
from stages.rows import accounting


def main(
    weights: In, data: In, scored: Out, scores: Out, checkpoints: Checkpoints, task: str, params: Task, machine: Machine
) -> str:
    lm_eval = Bridge(task, data, params)
    asked = lm_eval.ask()
    settings = Settings(
        params.apply_chat_template, params.batch_size, machine.device, machine.dtype,
        checkpoints / f"{asked.digest}.jsonl",
    )  # fmt: skip
    given = answering.respond(weights, asked.requests, settings)
    found = lm_eval.score(asked, given.answers)
    rows = scored_rows(found, given, asked.requests)
    totals = scoring.totals(rows)
    scoring.write(scored, rows)
    declared = {name: metric._asdict() for name, metric in meanings.declared(params).items()}
    stderr = {name: round(error, 6) for name, error in found.stderr.items()}
    values = {"rows": len(rows), "metrics": totals, "declared": declared, "stderr": stderr}
    counts = {
        "held_back": found.held_back, "spaced": found.spaced, "unscored": found.unscored,
        "without_answer": found.without_answer, "cut": given.cut,
    }  # fmt: skip
    accounting.write_json(scores, values | {name: count for name, count in counts.items() if count})
    shown = ", ".join(
        f"{name} {value:.3f}" + (f" ± {stderr[name]:.3f}" if name in stderr else "") for name, value in totals.items()
    )
    return f"{len(rows)} rows: {shown}{''.join(f'; {note}' for note in told(found, given))}"


def scored_rows(found: Scored, given: Answers, requests: list[Request]) -> list[scoring.Answer]:
    """The rows as of a suite; the prompt is all that is asked: rows with the same one are one observation."""
    rows, at = [], 0
    for row in found.rows:
        of_row = {name: tuple(round(number, 6) for number in numbers) for name, numbers in row.scores.items()}
        end = at + row.requests
        choices = [request[2] for request in requests[at:end] if request[0] == "loglikelihood"]
        prompt = "\n".join(filter(None, dict.fromkeys([*given.prompts[at:end], *choices])))
        rows.append(scoring.Answer(row.id, prompt, row.expected, row.answer, of_row))
        at = end
    return rows


def told(found: Scored, given: Answers) -> list[str]:
    """What lm-eval would say nothing of, in words."""
    notes = []
    if found.held_back:
        notes.append(f"{found.held_back} questions were among the shots drawn from, and were left out for themselves")
    for name, count in found.spaced.items():
        notes.append(f"{count} answers are wrong in {name} by white space alone")
    notes += [f"{count} rows have no {name}" for name, count in found.unscored.items()]
    if found.without_answer:
        notes.append(f"{found.without_answer} questions have no right answer among their choices")
    if given.cut:
        notes.append(f"{given.cut} answers cut at max_gen_toks")
    if found.left_out:
        notes.append(f"choices follow the chat template without {found.left_out!r}")
    return notes


if __name__ == "__main__":
    harness.run(main)
