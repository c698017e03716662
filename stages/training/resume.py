"""Training that continues from its last checkpoint after a kill, and ends with the same bytes as without one.

The trainer's `output_dir` is the stage's `Checkpoints` folder (modelmake/running/work_folders.py): the same one again
for the same command, inputs and parameters.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from modelmake import artifacts
from stages.training import processes, watching

# Time between two checkpoints, in multiples of what the last one took: checkpoints cost at most 2 % of the time.
CHECKPOINT_INTERVAL = 50
# Written last into a checkpoint, with the state that transformers does not save. Without it a checkpoint is incomplete.
COMPLETE = "complete.json"


def epoch_seeded(trainer_class: type) -> type:
    """Subclass of `trainer_class` whose order of rows depends on the seed and the epoch alone, on one GPU at most.

    transformers draws the order when it enters an epoch, also when it resumes in the middle of one; the order would
    then depend on how many numbers were drawn before. Where it sees several GPUs it gives each a batch of its own, so
    that the batch, and the model, would depend on the machine.
    """

    class EpochSeededTrainer(processes.sharing(watching.watched(trainer_class))):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            arguments = kwargs["args"]
            if arguments.n_gpu > 1:
                print(f"  trains on 1 of {arguments.n_gpu} GPUs", flush=True)
                arguments._n_gpu = 1
            super().__init__(*args, **kwargs)

        def _get_train_sampler(self, *args: Any) -> Any:
            import torch

            sampler = super()._get_train_sampler(*args)
            sampler.generator = torch.Generator()

            class EpochSeededSampler(torch.utils.data.Sampler):
                def __iter__(_):
                    sampler.generator.manual_seed(self.args.seed + int(self.state.epoch or 0))
                    return iter(sampler)

                def __len__(_):
                    return len(sampler)

            return EpochSeededSampler()

    return EpochSeededTrainer


def train(trainer: Any) -> None:
    """Trains to the end, from the newest complete checkpoint in the trainer's `output_dir` if there is one.

    Checkpoints are made only after a log step, so that the next logged loss averages over the same steps as without
    an interruption. Only the newest is kept.
    """
    from transformers import TrainerCallback

    folder = Path(trainer.args.output_dir)

    class Checkpointing(TrainerCallback):
        due_s, step_end_s = 0.0, 0.0

        def on_step_end(self, args, state, control, **_):
            if state.global_step % args.logging_steps == 0:
                control.should_save |= processes.first(time.monotonic() >= self.due_s)
            self.step_end_s = time.monotonic()

        def on_save(self, args, state, control, **_):
            processes.gather(None)  # each has written its part
            if processes.is_first():
                self.complete(folder / f"checkpoint-{state.global_step}")
            now_s = time.monotonic()
            self.due_s = now_s + CHECKPOINT_INTERVAL * (now_s - self.step_end_s)

        def complete(self, checkpoint: Path) -> None:
            rest = {
                "files": _md5s(checkpoint),
                "consumed": getattr(trainer, "consumed", []),
                "tokens": getattr(trainer, "_total_train_tokens", 0),
                "watch": trainer.watch.state() if trainer.watch else None,
            }
            partial = checkpoint / f".{COMPLETE}"
            partial.write_text(json.dumps(rest))
            partial.rename(checkpoint / COMPLETE)
            for older in set(folder.glob("checkpoint-*")) - {checkpoint}:
                shutil.rmtree(older)

    name = processes.first(_newest(folder) if processes.is_first() else None)
    newest = folder / name if name else None
    if newest:
        rest = json.loads((newest / COMPLETE).read_bytes())
        trainer.consumed = [(step, rows) for step, rows in rest["consumed"]]
        trainer._total_train_tokens = rest["tokens"]
        if trainer.watch:
            trainer.watch.restore(rest["watch"])
        print(f"  resumes from step {newest.name.partition('-')[2]}", flush=True)
    trainer.add_callback(Checkpointing())
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)


def _newest(folder: Path) -> str | None:
    """The name of the newest checkpoint that is whole; those that are not are removed."""
    newest = None
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.partition("-")[2])):
        if _is_whole(checkpoint):
            newest = checkpoint.name
        else:
            shutil.rmtree(checkpoint)
    return newest


def _is_whole(checkpoint: Path) -> bool:
    """Whether every file of a checkpoint is as it was written; told, if one is not."""
    if not (checkpoint / COMPLETE).exists():
        return False  # a kill came while it was written
    try:
        expected = json.loads((checkpoint / COMPLETE).read_bytes())["files"]
    except (ValueError, KeyError):
        changed = [COMPLETE]
    else:
        here = _md5s(checkpoint)
        changed = sorted(name for name in here.keys() | expected.keys() if here.get(name) != expected.get(name))
        if not changed:
            return True
    names = ", ".join(changed)
    print(f"  {checkpoint.name} is damaged ({names}): it is not used, training starts before it", flush=True)
    return False


def _md5s(checkpoint: Path) -> dict[str, str]:
    """{file: its MD5} of a checkpoint, without COMPLETE."""
    return {name: file.md5 for name, file in artifacts.measure(checkpoint).files.items() if name != COMPLETE}
