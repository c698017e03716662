"""Goes on where a run that was killed had come: training from its checkpoint, batches from those that were done."""

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

COST = 50  # a checkpoint is due when so many times what the last one took has passed: 2 % of the time at most
WHOLE = "whole.json"  # written last into a checkpoint, with what transformers leaves out of it


def ordered(trainer_class: type) -> type:
    """A trainer class whose order of rows follows from the seed and the epoch, not from what was drawn before.

    Transformers draws an epoch's order when the epoch is begun, also when it goes on in the middle of it.
    """

    class Ordered(trainer_class):
        def _get_train_sampler(self, *args: Any) -> Any:
            import torch

            sampler = super()._get_train_sampler(*args)
            sampler.generator = torch.Generator()

            class ByEpoch(torch.utils.data.Sampler):
                def __iter__(_):
                    sampler.generator.manual_seed(self.args.seed + int(self.state.epoch or 0))
                    return iter(sampler)

                def __len__(_):
                    return len(sampler)

            return ByEpoch()

    return Ordered


def train(trainer: Any) -> None:
    """Trains to the end, from the newest whole checkpoint in the trainer's `output_dir`, where there is one.

    Checkpoints are made after log steps only: the loss that is logged next is then of the same steps. One is kept.
    """
    from transformers import TrainerCallback

    folder = Path(trainer.args.output_dir)

    class Saving(TrainerCallback):
        due, began = 0.0, 0.0

        def on_step_end(self, args, state, control, **_):
            control.should_save |= state.global_step % args.logging_steps == 0 and time.monotonic() >= self.due
            self.began = time.monotonic()

        def on_save(self, args, state, control, **_):
            made = folder / f"checkpoint-{state.global_step}"
            rest = {"consumed": getattr(trainer, "consumed", []), "tokens": getattr(trainer, "_total_train_tokens", 0)}
            partial = made / f".{WHOLE}"
            partial.write_text(json.dumps(rest))
            partial.rename(made / WHOLE)
            for older in set(folder.glob("checkpoint-*")) - {made}:
                shutil.rmtree(older)
            now = time.monotonic()
            self.due = now + COST * (now - self.began)

    start = None
    for made in sorted(folder.glob("checkpoint-*"), key=lambda f: int(f.name.partition("-")[2])):
        if not (made / WHOLE).exists():
            shutil.rmtree(made)  # a kill came before its end
            continue
        start = made
    if start:
        rest = json.loads((start / WHOLE).read_text())
        trainer.consumed = [(step, rows) for step, rows in rest["consumed"]]
        trainer._total_train_tokens = rest["tokens"]
        print(f"  goes on from step {start.name.partition('-')[2]}", flush=True)
    trainer.add_callback(Saving())
    trainer.train(resume_from_checkpoint=str(start) if start else None)


def batches(items: Sequence[Any], size: int, work: Callable[[Sequence[Any]], list[Any]], file: Path) -> Iterator[tuple]:
    """Each (batch, what `work` makes of it as plain values), in order; those that `file` holds are taken from there.

    A line of `file` is a batch. The last is torn where a kill came while it was written: it is done again.
    """
    done: list[list[Any]] = []
    if file.exists():
        lines = file.read_bytes().split(b"\n")[:-1]
        done = [json.loads(line) for line in lines]
        file.write_bytes(b"".join(line + b"\n" for line in lines))
    if done:
        print(f"  goes on after {len(done)} batches", flush=True)
    with file.open("a", encoding="utf-8") as log:
        for number, start in enumerate(range(0, len(items), size)):
            batch = items[start : start + size]
            if number < len(done):
                yield batch, done[number]
                continue
            made = work(batch)
            with contextlib.suppress(OSError):  # a full disk costs the going on, not the work
                log.write(json.dumps(made) + "\n")
                log.flush()
            yield batch, made
