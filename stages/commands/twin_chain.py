"""Drives the real stages on a small random copy of the base, and says where the chain of steps breaks.

The copy has the base's own architecture, tokenizer, template and special tokens. On the first rows of the real data it
goes through base, train, train again from its first checkpoint, merge and quantize, and the runtimes that serve.
"""

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from stages import base, merge, quantize, train
from stages.evaluating.questions import questions
from stages.evaluating.runtimes import transformers
from stages.params.base_model import Base, Folder, Hub, Tiny
from stages.params.machine import Machine
from stages.params.release import Gguf, Quant
from stages.params.training import Kto, Step, in_order
from stages.reading import hub
from stages.rows import jsonl, parts
from stages.rows.row import Row
from stages.training import chat_template, given, kept_rows, resume, tokens
from stages.training.row_renderer import RowRenderer
from stages.twinning import references, row_checks, rows, serving_checks, shrunk, start_checks, step_checks
from stages.twinning.fault import Broken, Fault, stage
from stages.twinning.serving_checks import Asked
from stages.twinning.small_step import BATCH, ROWS, small
from stages.twinning.step_checks import Run

ANSWERED, NEW_TOKENS = 2, 4
WORTHLESS = "answers of a random model are all worth nothing, so nothing would be trained"
NOT_TRAINED = {"grpo": WORTHLESS, "rloo": WORTHLESS, "reward": "its model ends in a score, which nothing here reads"}


class Twin(NamedTuple):
    work: Path  # an empty folder
    mixed: Path  # folder of training rows, <kind>.jsonl
    machine: Machine
    notes: list[str]  # what is not proved, and why
    asked: list[Asked]
    steps: dict[str, dict[str, int]]  # {step: {rows, tokens}} of those that are proved

    @classmethod
    def at(cls, work: Path, mixed: Path, threads: int) -> "Twin":
        """A new one: on the CPU in float32, whatever the machine of the graph is."""
        return cls(work, mixed, Machine("cpu", "float32", threads), [], [], {})

    def model(self, name: str) -> Path:
        return self.work / "models" / name


def make_base(twin: Twin, source: Path, params: Base) -> list[Fault]:
    """Makes the twin of the base by the stage `base`."""
    files: dict[str, Any] = {"base": twin.model("base"), "log": twin.work / "base.json"}
    files |= {"checkpoints": twin.work / "checkpoints/base", "machine": twin.machine}
    if isinstance(params, Tiny):
        with stage("base", "base"):
            base.main(source=source, params=msgspec.structs.replace(params, max_steps=2, warmup_steps=0), **files)
        return start_checks.faults(twin.model("base"), _tokenizer(twin.model("base")))
    copy = twin.work / "source"
    with stage("base", "base"):
        shrunk.copy(hub.fetch(source, "model", shrunk.FILES) if isinstance(params, Hub) else source, copy)
    complete = (copy / "config.json").exists() and (copy / "tokenizer.json").exists()  # else `base` tells
    if complete and (faults := start_checks.faults(copy, _tokenizer(copy))):
        return faults
    with stage("base", "base"):
        shrunk.make_weights(copy)
        base.main(source=copy, params=Folder(source=str(copy), chat_template=params.chat_template), **files)
    return []


def drive_step(twin: Twin, name: str, step: Step) -> list[Fault]:
    """Renders, trains, resumes and merges."""
    where, start, method = f"train.{name}", twin.model(step.from_), type(step).__struct_config__.tag
    picked = rows.chosen(jsonl.read(twin.mixed / f"{step.rows}.jsonl"), ROWS)
    if not picked:
        return [Fault("rows", where, "", f"{twin.mixed}/{step.rows}.jsonl has no rows: want some")]
    tokenizer, params = _tokenizer(start), small(step)
    stops = chat_template.stop_token_ids(start, tokenizer)
    loss = importlib.import_module(params.modules()[0]).loss(params)
    if loss == "assistant" and not chat_template.GENERATION.search(tokenizer.get_chat_template()):
        return [Fault("mask", where, "", chat_template.no_generation_block(where, "the base"))]
    renderer = RowRenderer(tokenizer, loss, [tokenizer.decode([stop]) for stop in sorted(stops)], step.omit)
    encoded = list(tokens.encode([row.content for row in picked], tokenizer, renderer))
    if faults := row_checks.faults(picked, encoded, tokenizer, stops, loss, where):
        return faults
    if method in NOT_TRAINED:
        twin.notes.append(f"{where}: {NOT_TRAINED[method]}")
        return []
    with stage("rows", where):
        kept = kept_rows.keep(picked, encoded, params, where)
    if not kept.rows:
        what = f"{len(kept.over_long)} are too long, {len(kept.untrained)} have nothing to train on: want rows to learn"
        return [Fault("rows", where, picked[0].id, what)]
    cut = "cut" if step.over_long == "truncate" else "dropped"
    twin.notes.extend([f"{where}: {len(kept.over_long)} of {len(picked)} rows are {cut}"] * bool(kept.over_long))

    # The first step reads all.
    params = msgspec.structs.replace(params, gradient_accumulation_steps=-(-given.examples(params, kept) // BATCH))
    run = run_train(twin, name, params, picked)
    if faults := _trained(twin, name, params, run, kept):
        return faults
    again = run_train(twin, name, params, picked, again=True)
    if differ := step_checks.different_files(run.trained, again.trained):
        what = f"{', '.join(differ)} of training that went on from its first step is other than without: want the same"
        return [Fault("resume", where, "", what)]
    with stage("merge", where):
        merge.main(
            start=start, trained=run.trained, merged=twin.model(name), step=name, quantization=params.quantization
        )
    twin.steps[name] = {"rows": len(kept.rows), "tokens": kept.counts()["total"]}
    asked = _asked(picked, encoded, tokenizer)
    twin.asked.extend(asked)
    prompts = [ask.ids for ask in serving_checks.shortest(asked)]
    model = references.start_model(start, params)
    return step_checks.merge_faults(model, run.trained, twin.model(name), prompts, where, method in step_checks.LOGGED)


def _trained(twin: Twin, name: str, params: Step, run: Run, kept: kept_rows.Kept) -> list[Fault]:
    """What the first run shows."""
    where, method = f"train.{name}", type(params).__struct_config__.tag
    row, problem = step_checks.rows_problem(run, kept.rows)
    faults = [Fault("rows", where, row, problem)] if problem else []
    if problem := step_checks.not_finite(run):
        row = _first_wrong(twin, name, params, kept.rows, lambda alone: bool(step_checks.not_finite(alone)))
        return [*faults, Fault("loss", where, row, problem)]
    if not step_checks.proves_loss(run, method):
        twin.notes.append(f"{where}: the loss of its first step, of which {method} logs nothing that follows from rows")
        return faults
    model = references.start_model(twin.model(params.from_), params)
    likelihoods = {
        row.id: [references.likelihood(model, side) for side in sides]
        for row, sides in zip(kept.rows, kept.sides, strict=True)
    }
    good = {row.id: row.content.good for row in kept.rows if row.kind == "judged"}
    if method == "kto" and not good:
        run, likelihoods, good = step_checks.unpaired(run, likelihoods, [row.id for row in kept.rows])
    if problems := step_checks.loss_problems(run, likelihoods, good, method):
        row = _first_wrong(
            twin, name, params, kept.rows,
            lambda alone: bool(step_checks.loss_problems(alone, likelihoods, {}, method)),
        )  # fmt: skip
        each = "" if good or row else "; each row alone is right, so rows of a batch change each other"
        faults.append(Fault("loss", where, row, "; ".join(problems) + each))
    return faults


def _first_wrong(twin: Twin, name: str, params: Step, kept: list[Row], wrong: Callable[[Run], bool]) -> str:
    """The first row with which alone training goes wrong, too; KTO trains no answer alone."""
    one = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 1}
    for row in () if isinstance(params, Kto) else kept:
        if wrong(run_train(twin, name, msgspec.structs.replace(params, **one), [row])):
            return row.id
    return ""


def run_train(twin: Twin, name: str, params: Step, picked: list[Row], again: bool = False) -> Run:
    """Runs the stage `train`; `again`: from the checkpoint that the run before left at its first step."""
    folder, checkpoints = twin.work / "runs" / ("again" if again else "first"), twin.work / "checkpoints" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not again:
        shutil.rmtree(checkpoints, ignore_errors=True)
    jsonl.write(folder / "rows.jsonl", picked)
    (folder / "none.jsonl").touch()
    interval, resume.CHECKPOINT_INTERVAL = resume.CHECKPOINT_INTERVAL, 1e9  # one checkpoint, after the first step
    try:
        with stage("train", f"train.{name}"):
            train.main(
                start=twin.model(params.from_), second_model=_second_model(twin, params), train=folder / "rows.jsonl",
                val=folder / "none.jsonl", trained=folder / "trained", consumed=folder / "consumed.jsonl",
                log=folder / "log.json", checkpoints=checkpoints, step=name, params=params, machine=twin.machine,
            )  # fmt: skip
    finally:
        resume.CHECKPOINT_INTERVAL = interval
    lines = (folder / "consumed.jsonl").read_bytes().splitlines()
    batches = [(batch["step"], batch["ids"]) for batch in map(msgspec.json.decode, lines)]
    return Run(folder / "trained", batches, msgspec.json.decode((folder / "log.json").read_bytes())["history"])


def _second_model(twin: Twin, params: Step) -> Path:
    """The twin of the step's second model; of a model outside of the graph the twin of the base stands for it."""
    if not params.second_model_as():
        return Path(params.second_model)
    return twin.model(params.starts().get("second_model", "base"))


def serve(twin: Twin, quants: dict[str, Quant]) -> list[Fault]:
    """Converts each model that is quantized, and asks the runtimes for what was trained."""
    faults = []
    none = twin.work / "none.jsonl"
    none.write_text("\n")
    for source in sorted({quant.from_ for quant in quants.values()}):
        names = [name for name, quant in quants.items() if quant.from_ == source]
        model = twin.model(source)
        if not model.exists():
            twin.notes.append(f"quantize.{names[0]}: models/{source} is not made here")
            continue
        _answers(twin, model, source)
        if not (files := [name for name in names if "llama_cpp" in quants[name].RUNTIMES]):
            twin.notes.append(f"quantize.{names[0]}: {type(quants[names[0]]).__struct_config__.tag} is not run")
            continue
        where = f"quantize.{files[0]}"
        for name in ["F32", *(n for n in files if isinstance(quants[n], Gguf))]:
            folder = twin.work / "quantized" / source / name
            folder.parent.mkdir(parents=True, exist_ok=True)
            with stage("convert", where):
                quantize.main(model, none, folder, name, Gguf(from_=source, calibration=None))
        tokenizer = _tokenizer(model)
        stops = chat_template.stop_token_ids(model, tokenizer)
        file = twin.work / "quantized" / source / "F32/model.gguf"
        with stage("served model", where):
            faults += serving_checks.faults(file, model, twin.asked, tokenizer, stops, where)
    return faults


def _answers(twin: Twin, model: Path, source: str) -> None:
    asked = [ask.row for ask in twin.asked if not parts.split(ask.row.content).text][:ANSWERED]
    with stage("answers", f"models/{source}"):
        transformers.generate(
            model, questions(asked), max_new_tokens=NEW_TOKENS, batch_size=ANSWERED, device="cpu",
            dtype="float32", checkpoint=twin.work / f"{source}.batches.jsonl",
        )  # fmt: skip


def _asked(picked: list[Row], encoded: list[tokens.Encoded], tokenizer: Any) -> list[Asked]:
    asked = []
    for row, tokenized in zip(picked, encoded, strict=True):
        split = parts.split(row.content)
        if split.text:
            asked.append(Asked(row, tokenized.sides[0].ids[:-1]))
        else:
            text = chat_template.render(tokenizer, split.prompt, split.tools, prompt=True).text
            asked.append(Asked(row, tokenizer(text, add_special_tokens=False)["input_ids"]))
    return asked


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def prove(twin: Twin, source: Path, base_params: Base, steps: dict[str, Step], quants: dict[str, Quant]) -> list[Fault]:
    """Everything, in order; what needs a model that a fault left out is not run."""
    faults: list[Fault] = []
    try:
        faults += make_base(twin, source, base_params)
        if faults:
            return faults
        for name, step in in_order(steps).items():
            if missing := [start for start in step.starts().values() if not twin.model(start).exists()]:
                twin.notes.append(f"train.{name}: models/{missing[0]} is not made here")
            else:
                faults += drive_step(twin, name, step)
        return faults + serve(twin, quants)
    except Broken as broken:
        return [*faults, broken.fault]
