"""Runs a quantized file in a runtime that serves it: answers the held-out rows of compare.suite, and predicts each
token of the expected answers beside the model that it was made from. Nothing is scored.

Inputs:  quantized  folder that `quantize` wrote
         weights    folder of the model that it was made from
         rows       JSONL canonical rows of the suite
Outputs: answers    JSONL {id, answers: [text], tokens}, and {cut: 1} of one that is cut; in the order of the rows
         figures    JSON {prompts: as served_prompts.compare tells, predictions: as token_differences.summary tells and
                    rows_left_out, tensors: {type: tensors of the file}, sampling: {setting: the file's default}}
Params:  answer_quantized.<quant>, answer.<suite>, machine
"""

import importlib
from pathlib import Path
from typing import Any

from modelmake import harness
from modelmake.signature import Archive, Checkpoints, In, Out
from stages.evaluating import answer_file, expected_tokens, served_prompts, serving_speed, token_differences
from stages.evaluating.forced import Forced
from stages.evaluating.generated import Generated
from stages.evaluating.questions import questions
from stages.evaluating.runtimes import transformers_logits
from stages.evaluating.serving_speed import Watch
from stages.params.answering import Greedy, Runtime
from stages.params.machine import Machine
from stages.rows import accounting, jsonl
from stages.rows.row import Row


def predictions(
    runtime: Any, file: Path, weights: Path, rows: list[Row], params: Runtime, machine: Machine, checkpoint: Path
) -> tuple[dict[str, Any], dict[str, float]]:
    """How far the file's predictions of the expected answers' tokens are from those of the model, and its speed."""
    read, left_out = expected_tokens.read(rows, weights)
    longest, speed = max((len(of_row.ids) for of_row in read), default=0), {}
    with transformers_logits.reading(weights, longest=longest, **params.reference(machine)) as model:
        watch = Watch()
        with runtime.reading(file, longest=longest, **params.reading(machine)) as reader:
            if read:
                speed["load_s"] = watch.seconds()
                next(reader.logits(Forced(read[0].ids, read[0].at[:1])))
                speed |= {"first_token_s": round(watch.seconds() - speed["load_s"], 4), "mib": watch.mib()}
            measured = token_differences.measure(read, model, reader, str(file), checkpoint)
    return token_differences.summary(measured) | {"rows_left_out": left_out}, speed


def answered_per_second(found: list[Generated], watch: Watch) -> dict[str, float]:
    """Tokens of answers a second, loading and prompts included."""
    return {"answer_tokens_per_s": round(sum(answer.answer_tokens or 0 for answer in found) / watch.seconds(), 1)}


def main(
    quantized: In, weights: In, rows: In, answers: Out, figures: Out, checkpoints: Checkpoints, archive: Archive,
    quant: str, suite: str, params: Runtime, answering: Greedy, machine: Machine,
) -> str:  # fmt: skip
    held_out, file = jsonl.read(rows), quantized / params.FILE
    runtime = importlib.import_module(params.modules()[0])
    settings = {**params.settings(answering, machine), "checkpoint": checkpoints / "batches.jsonl"}
    asked, resumed, watch = questions(held_out), settings["checkpoint"].exists(), Watch()
    found = runtime.generate(file, asked, **settings)
    answered = {} if resumed else answered_per_second(found, watch)
    given = [answer_file.of(row.id, [answer]) for row, answer in zip(held_out, found, strict=True)]
    prompts = served_prompts.compare(weights, file, runtime, asked)
    kept = checkpoints / "predictions.jsonl"
    predicted, speed = predictions(runtime, file, weights, held_out, params, machine, kept)
    serving_speed.log(archive, quant, answered | speed)
    answer_file.write(answers, given)
    of_file = {"tensors": runtime.tensor_types(file), "sampling": runtime.sampling_defaults(file)}
    accounting.write_json(figures, {"prompts": prompts, "predictions": predicted, **of_file})
    line = [answer_file.told(given, f"max_new_tokens = {answering.max_new_tokens}")]
    line += [f"{prompts['changed']} prompts are not those of training"] * bool(prompts["changed"])
    line += [f"{prompts['not_normal']} prompts are not in {prompts['normal_form']}"] * bool(prompts["not_normal"])
    line += [f"{predicted['rows_left_out']} rows are not predicted"] * bool(predicted["rows_left_out"])
    return "; ".join(line)


if __name__ == "__main__":
    harness.run(main)
