"""Every method with every way to choose weights, on a tiny model: docs/training.md says what each pair of them does.

uv run python -m tests.training.matrix    # writes the page
"""

import gc
import itertools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import replace

from modelmake import params
from modelmake.errors import UserError
from stages import merge
from stages.params.training import Step
from stages.params.weights import All, Weights
from stages.training import progress, qlora, resume, task_types
from tests.tiny_models import build_model, build_reward_model
from tests.training import made_up_ways
from tests.training.test_resume import NF4, ROOT, STEPS, run_stage, write_rows

PAGE = ROOT / "docs/training.md"
SHORT = {"num_train_epochs": 2, "logging_steps": 4, "eval_steps": 100, "learning_rate": 5e-3}  # about six steps
KILLED_AT = 4  # of them: after the checkpoint
METHODS: dict[str, Step] = {  # the first example of each
    type(step).__struct_config__.tag: step for step in reversed(STEPS.values())
}
LEFT_OUT = (  # tests/training/weights/ has them with sft; here they would take minutes more
    "LoRA, gaussian", "LoRA, orthogonal", "PiSSA as rsLoRA", "LoRA of a layer", "LoRA and the output",
)  # fmt: skip
WAYS: dict[str, tuple[Weights, Any]] = {  # weights, quantization
    "all": (All(), None),
    "LoRA": (made_up_ways.LORA, None),
    **{name: (way, None) for name, way in made_up_ways.WAYS.items() if name not in LEFT_OUT},
    "QLoRA": (made_up_ways.LORA, NF4),
}
TITLE = """# What trains

Every method of `train` with every way to choose weights, on a tiny Llama. This page is made by
`uv run python -m tests.training.matrix`; a slow test holds it against what is made.

**yes**: it trains, is killed and resumes to the same bytes, merges, and answers; the merged model computes the
logits of the adapter on its base. A number: it is refused, for the reason below.

"""


def methods() -> list[str]:
    """The methods in the order of stages/params/training.py."""
    return [method.__struct_config__.tag for method in get_args(Step)]


def example(method: str, way: str) -> Step:
    """A step of both, without dropout where the method has none."""
    weights, quantization = WAYS[way]
    step = replace(METHODS[method], weights=weights, quantization=quantization, **SHORT)
    return step if step.DROPOUT or not hasattr(weights, "lora_dropout") else replace(
        step, weights=replace(weights, lora_dropout=0.0)
    )  # fmt: skip


class Matrix:
    """Tiny models, and a folder for what each cell writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start = build_model(folder / "start")
        self.second = {
            "a reward model": build_reward_model(folder / "reward_model", self.start),
            "a teacher": build_model(folder / "teacher", num_hidden_layers=1),
        }
        self.rows = {}
        for kind in {step.rows for step in METHODS.values()}:
            (folder / kind).mkdir()
            self.rows[kind] = write_rows(folder / kind, kind)

    def cell(self, method: str, way: str) -> str:
        """Why a method does not train so; "" if it does, and all of it is right.

        Raises:
            AssertionError: something is wrong in silence.
        """
        step = example(method, way)
        if step.second_model_as():
            step = replace(step, second_model=str(self.second[step.second_model_as()]))
        _, problems = params.decode(Step, msgspec.to_builtins(step), "step")
        if problems:
            return "; ".join(problem.removeprefix("step.") for problem in problems)
        try:
            return self._train(step, Path(tempfile.mkdtemp(dir=self.folder)))
        except UserError as error:
            return str(error).replace(f"{self.folder}/", "")

    def _train(self, step: Step, folder: Path) -> str:
        files = self.rows[step.rows]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(resume, "CHECKPOINT_INTERVAL", 0)  # a checkpoint at every log step
            attach, left = progress.attach, folder / "left"
            patch.setattr(progress, "attach", lambda trainer, *more: (attach(trainer, *more), _keep(trainer, left)))
            once = run_stage(self.start, folder / "once", files, folder / "checkpoints", step)
            patch.setattr(progress, "attach", attach)
            again = run_stage(self.start, folder / "again", files, left, step)
        assert once == again, "resumed training has other bytes"
        log = json.loads(once["log.json"])
        assert log["idle"] < log["steps"], "nothing was trained"
        merge.main(self.start, folder / "once/trained", folder / "merged", "step", step.quantization)
        self._compare(step, folder / "once/trained", folder / "merged")
        return ""

    def _compare(self, step: Step, trained: Path, merged: Path) -> None:
        """Holds the merged model against the adapter on its base, and against that base."""
        import torch
        from peft import PeftModel
        from transformers import AutoTokenizer

        def base() -> Any:
            if step.quantization:
                return qlora.load_4bit(self.start, step.quantization, "cpu")
            return task_types.load(step.TASK_TYPE, self.start)

        network = task_types.load(step.TASK_TYPE, merged)
        found = made_up_ways.logits(network)
        adapted = (trained / "adapter_config.json").exists()
        kept = PeftModel.from_pretrained(base(), str(trained)) if adapted else task_types.load(step.TASK_TYPE, trained)
        assert torch.allclose(found, made_up_ways.logits(kept), atol=1e-3), "merged is not what was trained"
        if step.TASK_TYPE == "CAUSAL_LM":  # a new head is random
            assert not torch.allclose(found, made_up_ways.logits(base()), atol=1e-3), "merged is the start model"
            prompt = AutoTokenizer.from_pretrained(merged)("a question", return_tensors="pt")
            answer = network.generate(**prompt, max_new_tokens=4, do_sample=False)
            assert answer.shape[1] > prompt["input_ids"].shape[1], "no answer"
        assert torch.isfinite(found).all()


def _keep(trainer: Any, left: Path) -> None:
    """Copies what a kill at the beginning of a step would leave on the disk."""
    from transformers import TrainerCallback

    class Keep(TrainerCallback):
        def on_step_begin(self, args, state, control, **_):
            if state.global_step == KILLED_AT:
                shutil.copytree(args.output_dir, left)
                assert (left / f"checkpoint-{KILLED_AT}").exists(), "nothing to resume from"

    trainer.add_callback(Keep())


def page(cells: dict[tuple[str, str], str]) -> str:
    """The page of {(method, way): reason or ""}."""
    reasons = list(dict.fromkeys(reason for reason in cells.values() if reason))
    lines = [f"| weights | {' | '.join(f'`{method}`' for method in methods())} |", "|---" * (len(methods()) + 1) + "|"]
    for way in WAYS:
        found = (cells[method, way] for method in methods())
        lines.append(f"| {way} | {' | '.join(str(reasons.index(why) + 1) if why else 'yes' for why in found)} |")
    return TITLE + "\n".join(lines + [""] + [f"{number}. {why}" for number, why in enumerate(reasons, 1)]) + "\n"


def run(folder: Path) -> str:
    """The page, after every cell was tried."""
    matrix = Matrix(folder)
    gc.freeze()  # transformers collects at each start of a training, which would take a third of the time
    cells = {}
    for way, method in itertools.product(WAYS, methods()):
        cells[method, way] = matrix.cell(method, way)
        print(f"{method} × {way}: {cells[method, way] or 'yes'}", flush=True)
    return page(cells)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(run(Path(folder)), "utf-8")
