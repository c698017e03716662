"""Training runs of benchmarks/training.py, each in a process of its own: `training_runs.py HOW SPECIFICATION RESULT`.

    ours    the stage `train`, as the harness starts it, without the harness
    bare    the usual script with the stage's settings: rows of like length together, logits of labelled tokens alone,
            freed memory kept; but no record of rows, no checkpoint and no progress
    usual   the script of TRL's documentation: padded batches in the order that Trainer draws, loss on the assistant

CPU seconds and peak memory are of the process, the seconds from the end of imports to the saved weights, and those of
Trainer.train() alone.
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def parameters(step: str, changes: dict[str, Any]) -> tuple[Any, Any]:
    """The default's parameters of a step, with changes, and its machine."""
    from msgspec.structs import replace

    from modelmake import params
    from stages import preflight

    chapters, problems = preflight.decode(params.load(ROOT / "params.yaml"))
    if problems:
        raise SystemExit("\n".join(problems))
    return replace(chapters["train"][step], **changes), chapters["machine"]


def ours(specification: dict[str, Any], rows: list[Path], folder: Path) -> None:
    from stages import train

    params, machine = parameters(specification["step"], specification["changes"])
    outputs = {name: folder / name for name in ("trained", "consumed", "log", "checkpoints")}
    outputs["checkpoints"].mkdir()
    train.main(
        start=Path(specification["start"]), second_model=ROOT / params.second_model, train=rows[0], val=rows[1],
        step=specification["step"], params=params, machine=machine, **outputs,
    )  # fmt: skip


def script(specification: dict[str, Any], rows: list[Path], folder: Path, **settings: Any) -> None:
    """A script on TRL alone."""
    import torch
    from msgspec.structs import asdict
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    from stages.training import trainers

    params, machine = parameters(specification["step"], specification["changes"])
    arguments = trainers.arguments(params, machine, folder / "checkpoints") | settings
    arguments |= {"max_length": params.max_length, "remove_unused_columns": True}
    start = specification["start"]
    model = AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32)
    datasets = {name: messages(file) for name, file in zip(("train_dataset", "eval_dataset"), rows, strict=True)}
    parts = {"model": model, "processing_class": AutoTokenizer.from_pretrained(start), **datasets}
    if specification["step"] == "sft":
        trainer = SFTTrainer(args=SFTConfig(**arguments, assistant_only_loss=params.assistant_only_loss), **parts)
    else:
        names = set(LoraConfig.__dataclass_fields__) & set(asdict(params.weights))
        plain = {name: value for name, value in asdict(params.weights).items() if name in names and value != []}
        losses = {"beta": params.beta, "loss_type": params.loss_type, "loss_weights": params.loss_weights}
        trainer = DPOTrainer(
            args=DPOConfig(**arguments, **losses), peft_config=LoraConfig(task_type="CAUSAL_LM", **plain), **parts
        )
    trainer.train()
    trainer.save_model(str(folder / "trained"))


def messages(file: Path) -> Any:
    """Rows as people give them to TRL: turns of a role and its content."""
    from datasets import Dataset

    from stages.rows import jsonl, parts
    from stages.rows.template_messages import template_messages

    split = [parts.split(row.content) for row in jsonl.read(file)]
    if split[0].rejected:
        names = {"prompt": "prompt", "chosen": "answer", "rejected": "rejected"}
        columns = {name: [template_messages(getattr(of, part)) for of in split] for name, part in names.items()}
    else:
        columns = {"messages": [template_messages([*of.prompt, *of.answer]) for of in split]}
    return Dataset.from_dict(columns)


def main() -> None:
    how, specification, result = sys.argv[1], json.loads(Path(sys.argv[2]).read_bytes()), Path(sys.argv[3])
    sys.path.insert(0, str(ROOT))
    if how != "usual":
        from modelmake.running import threads

        threads.limit(1)
    import peft  # noqa: F401 imported before the clock starts
    import torch
    from transformers import LlamaForCausalLM, Trainer  # noqa: F401
    from trl import DPOTrainer, SFTTrainer  # noqa: F401

    import stages.train  # noqa: F401
    from stages.training import labelled_logits

    torch.set_num_threads(1)
    train, in_train = Trainer.train, 0.0

    def timed(*arguments: Any, **named: Any) -> Any:
        nonlocal in_train
        began = time.process_time()
        result = train(*arguments, **named)
        in_train = time.process_time() - began
        return result

    Trainer.train = timed
    rows = [Path(file) for file in specification["rows"]]
    with tempfile.TemporaryDirectory() as name:
        began = time.process_time()
        if how == "ours":
            ours(specification, rows, Path(name))
        elif how == "bare":
            labelled_logits.on_cpus()
            script(specification, rows, Path(name), train_sampling_strategy="group_by_length")
        else:
            script(specification, rows, Path(name))
        seconds = time.process_time() - began
        if specification["kept"]:
            os.rename(f"{name}/trained", specification["kept"])
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result.write_text(json.dumps({"cpu_s": seconds, "train_cpu_s": in_train, "peak_mib": peak_mib}))


if __name__ == "__main__":
    main()
