"""Whether a step of training did to the twin what its rows say."""

import math
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from stages.rows.row import Row
from stages.twinning import references
from stages.twinning.fault import Fault
from stages.twinning.references import Likelihood

LOGGED = {  # {method: what it logs of its first step that follows from its rows and the weights at the start}
    "sft": ("loss",), "cpt": ("loss",), "dpo": ("logps/chosen", "logps/rejected"),
    "kto": ("logps/chosen", "logps/rejected"), "orpo": (),
}  # fmt: skip
TOLERANCE = 1e-4  # of losses that two ways of computing give in float32; some are logged in four digits
MERGED = 0.02  # of the adapter's change of the logits: what merging may add


Likelihoods = dict[str, list[Likelihood]]  # {id of a row: of each side}


class Run(NamedTuple):
    """What one run of `train` left."""

    trained: Path  # folder
    batches: list[tuple[int, list[str]]]  # (step, ids of rows), one a micro-batch
    history: list[dict[str, Any]]


def expected(run: Run, likelihoods: Likelihoods, good: dict[str, bool]) -> dict[str, float]:
    """{value of LOGGED: what it must be at the first step}.

    The loss of SFT and of texts is a mean over the tokens of the step, in which each row is, with all its pieces; the
    others are means over micro-batches of means over rows, as TRL logs them.
    """
    first = [ids for step, ids in run.batches if step == 1]
    pieces = [piece for id in {id for ids in first for id in ids} for piece in likelihoods[id]]
    tokens, nats = sum(piece.tokens for piece in pieces), sum(piece.nats for piece in pieces)

    def mean(side: int, judged: bool) -> float:
        means = [[-likelihoods[id][side].nats for id in ids if not good or good[id] == judged] for ids in first]
        return _mean([_mean(batch) for batch in means if batch])

    return {
        "loss": nats / tokens if tokens else math.nan,
        "logps/chosen": mean(0, True),
        "logps/rejected": mean(0 if good else -1, False),
    }


def unpaired(run: Run, likelihoods: Likelihoods, ids: list[str]) -> tuple[Run, Likelihoods, dict[str, bool]]:
    """The same with each answer of a pair as a judged row, and whether it is good: so KTO reads them.

    Args:
        ids: of the pairs, in their order. Of every other one the good answer comes first.
    """
    places, read = {id: place for place, id in enumerate(ids)}, Counter[str]()
    batches = []
    for step, of_batch in run.batches:
        answers = []
        for id in of_batch:
            answers.append(f"{id} {'bad' if (places[id] + read[id]) % 2 else 'good'}")
            read[id] += 1
        batches.append((step, answers))
    names = {f"{id} {kind}": [likelihoods[id][side]] for id in ids for side, kind in ((0, "good"), (-1, "bad"))}
    return run._replace(batches=batches), names, {name: name.endswith(" good") for name in names}


def loss_problems(run: Run, likelihoods: Likelihoods, good: dict[str, bool], method: str) -> list[str]:
    """Logged values of the first step that are not those of its rows."""
    logged, values = _first_logged(run), expected(run, likelihoods, good)
    return [
        f"{name} of the first step is {logged[name]:.4f}: its rows alone give {values[name]:.4f}"
        for name in LOGGED[method]
        if logged.get(name) is not None
        and not math.isclose(logged[name], values[name], rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    ]


def proves_loss(run: Run, method: str) -> bool:
    """Whether the first step logged a value that follows from its rows."""
    return any(_first_logged(run).get(name) is not None for name in LOGGED.get(method, ()))


def _first_logged(run: Run) -> dict[str, Any]:
    return next((entry for entry in run.history if entry.get("step") == 1), {})


def not_finite(run: Run) -> str:
    """What is no finite number in what was logged and saved; "" if all is."""
    from safetensors import safe_open

    for entry in run.history:
        for name in ("loss", "grad_norm"):
            if name in entry and (entry[name] is None or not math.isfinite(entry[name])):
                return f"{name} of step {entry['step']} is no finite number"
    for file in sorted(run.trained.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():
                if not tensors.get_tensor(name).isfinite().all():
                    return f"{name} has numbers that are not finite after training"
    return ""


def rows_problem(run: Run, kept: list[Row]) -> tuple[str, str]:
    """(row, problem): one that no step consumed; ("", "") if each was."""
    consumed = {id for _, ids in run.batches for id in ids}
    lost = [row.id for row in kept if row.id not in consumed]
    return (lost[0], f"{len(lost)} of {len(kept)} rows are in no step: want each consumed") if lost else ("", "")


def different_files(first: Path, second: Path) -> list[str]:
    """Names of files that differ, or that one of two folders lacks."""
    names = {file.name for folder in (first, second) for file in folder.iterdir()}
    contents = [{name: (folder / name).read_bytes() if (folder / name).exists() else b"" for name in names}
                for folder in (first, second)]  # fmt: skip
    return sorted(name for name in names if contents[0][name] != contents[1][name])


def merge_faults(
    start: Any, trained: Path, merged: Path, prompts: list[list[int]], where: str, moves: bool
) -> list[Fault]:
    """`start` is the model that the step started from; the adapter or the full model is in `trained`.

    `moves`: three steps must change the weights. They need not if answers are worth the same, or a teacher agrees.
    """
    import torch

    before = torch.stack(references.next_tokens(start, prompts))  # (B, V)
    is_adapter = (trained / "adapter_config.json").exists()
    model = references.adapted(start, trained) if is_adapter else references.full_model(trained)
    after = torch.stack(references.next_tokens(model, prompts))
    shipped = torch.stack(references.next_tokens(references.full_model(merged), prompts))
    change = (after - before).norm().item()
    if not change and moves:
        what = "three steps changed no answer: want weights that move; look at weights, target_modules and optim"
        return [Fault("update", where, "", what)]
    if (error := (shipped - after).norm().item()) > MERGED * change + 1e-5 * before.norm().item():
        what = (
            f"the merged model is {error / change:.2f} of the trained change away from what was trained: want at most "
            f"{MERGED}; train other modules (no tied embeddings, no output layer), or weights: {{kind: all}}"
            if change
            else f"answers of the merged model differ by {error:.3g} from those of what was trained, which training "
            "left as they were: want none; train other modules, or weights: {kind: all}"
        )
        return [Fault("merge", where, "", what)]
    return []


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
