"""What `modelmake plan` says of a training step that will run: memory, rows that are too long, a rare learning rate."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake import params
from modelmake.planning import resources
from stages.commands import over_long
from stages.commands.foreseen import remembered
from stages.params.base_model import Base, Folder, Tiny
from stages.params.machine import Machine
from stages.params.training import OwnAnswers, Step
from stages.params.weights import All, Quantization, Weights
from stages.proposing.proposal import LORA
from stages.training import learning_rates, memory
from stages.training.memory import Need

IN_4BIT = Quantization(True, "nf4", True, "bfloat16")
SHOWN = 3  # changes that would make a step fit
TAKE_NO_MEMORY = {
    "from", "seed", "over_long", "omit", "num_train_epochs", "gradient_accumulation_steps", "learning_rate",
    "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps", "weight_decay", "max_grad_norm", "logging_steps",
    "eval_steps", "best", "stop_on",
}  # fmt: skip


def needs(root: Path, name: str) -> tuple[list[str], list[str]]:
    """What the step `name` takes, with changes that would make it fit; what this machine lacks for it."""
    values = params.load(root / "params.yaml")
    step = params.section(values, f"train.{name}", Step, "params.yaml")
    machine = params.section(values, "machine", Machine, "params.yaml")
    base = params.section(values, "base", Base, "params.yaml")
    folder = _folder(root, base, step)
    model = Model(root, _config(base, folder))
    lines, lacks = _memory(model, name, step, machine)
    if folder and (rows := over_long.line(root, step, folder, getattr(base, "chat_template", None))):
        lines.append(rows)
    if model.config and (rate := learning_rates.unusual(step, model.parameters())):
        lines.append(rate)
    return lines, lacks


class Model(NamedTuple):
    """The model that a step starts from, by its configuration."""

    root: Path
    config: dict[str, Any]  # as in config.json; {}: it is not on this machine yet

    def need(self, step: Step, machine: Machine, tokens: int, trained: float) -> Need:
        read = {field: value for field, value in msgspec.to_builtins(step).items() if field not in TAKE_NO_MEMORY}
        question = ["memory", self.config, read, machine, tokens, trained]
        return Need(
            *remembered(self.root, question, lambda: memory.need(self._loaded(), step, machine, tokens, trained))
        )

    def parameters(self) -> int:
        return remembered(self.root, ["parameters", self.config], lambda: memory.parameters(self._loaded()))

    def _loaded(self) -> Any:
        from transformers import AutoConfig

        return type(AutoConfig.for_model(self.config["model_type"])).from_dict(self.config)


def _folder(root: Path, base: Base, step: Step) -> Path | None:
    """The folder that a step's model is in, or the base's, which has the same shape; None: neither is here."""
    folders = [root / "models" / step.from_, root / "models/base"]
    folders += [root / base.source] if isinstance(base, Folder) else []
    return next((folder for folder in folders if (folder / "config.json").is_file()), None)


def _config(base: Base, folder: Path | None) -> dict[str, Any]:
    if folder:
        return msgspec.json.decode((folder / "config.json").read_bytes())
    if not isinstance(base, Tiny):
        return {}
    return {
        "model_type": "llama", "vocab_size": base.vocab_size, "hidden_size": base.hidden_size,
        "intermediate_size": base.intermediate_size, "num_hidden_layers": base.num_hidden_layers,
        "num_attention_heads": base.num_attention_heads, "num_key_value_heads": base.num_attention_heads,
        "max_position_embeddings": base.max_position_embeddings, "tie_word_embeddings": True,
    }  # fmt: skip


def _memory(model: Model, name: str, step: Step, machine: Machine) -> tuple[list[str], list[str]]:
    if not model.config:
        return ["memory: not foreseen before models/base is here"], []
    if isinstance(step, OwnAnswers):
        return ["memory: not foreseen where a step generates its answers"], []
    tokens, trained = _tokens(model.root, name, step)
    need, free = model.need(step, machine, tokens, trained), _free(machine)
    line = f"needs {_mib(need.peak)} on {machine.device} for rows of {tokens} tokens: {_parts(need)}"
    if free is None or need.peak <= free:
        return [line], []
    lacks = f"memory: {_mib(free)} are free on {machine.device}"
    return [line, *_fitting(model, step, machine, (tokens, trained), free)], [lacks]


def _fitting(model: Model, step: Step, machine: Machine, rows: tuple[int, float], free: int) -> list[str]:
    """The first changes of `changes`, alone or one upon another, with which the step fits."""
    lines = []
    for words, changed in changes(step, machine):
        need = model.need(changed, machine, *rows)
        if need.peak <= free:
            lines.append(f"needs {_mib(need.peak)} with {words}")
        if len(lines) == SHOWN:
            break
    return lines or ["needs more than is free with smaller batches, gradient_checkpointing, LoRA and 4 bits together"]


def changes(step: Step, machine: Machine) -> Iterator[tuple[str, Step]]:
    """Changes that save memory, each alone by what it costs, then one upon another."""
    batch, lora = step.per_device_train_batch_size, params.decode(Weights, LORA, "weights")[0]
    accumulated = step.gradient_accumulation_steps * batch // 2
    single: list[tuple[str, dict[str, Any]]] = []
    if batch > 2 and batch % 2 == 0:  # the same rows in each step of the optimizer
        words = f"per_device_train_batch_size: 2, gradient_accumulation_steps: {accumulated}"
        single.append((words, {"per_device_train_batch_size": 2, "gradient_accumulation_steps": accumulated}))
    if not step.gradient_checkpointing:
        single.append(("gradient_checkpointing: true", {"gradient_checkpointing": True}))
    if isinstance(step.weights, All):
        single.append((f"weights: {{kind: lora, r: {lora.r}}}", {"weights": lora}))
    if not step.quantization and machine.device == "cuda":
        words = "weights: {kind: lora}, quantization: {load_in_4bit: true}"
        single.append((words, {"weights": lora, "quantization": IN_4BIT}))
    for words, change in single:
        yield words, msgspec.structs.replace(step, **change)
    for n in range(2, len(single) + 1):
        together = {field: value for _, change in single[:n] for field, value in change.items()}
        yield ", ".join(words for words, _ in single[:n]), msgspec.structs.replace(step, **together)


def _tokens(root: Path, name: str, step: Step) -> tuple[int, float]:
    """Tokens of the longest row, and the share that the loss sees: as in the step's last log, else the most."""
    log = root / f"reports/train/{name}.json"
    if not log.is_file():
        return step.max_length, 1.0
    tokens = msgspec.json.decode(log.read_bytes())["tokens"]
    return min(step.max_length, tokens["longest"]), tokens["trained"] / max(1, tokens["total"])


def _free(machine: Machine) -> int | None:
    """Bytes free on the device; None for a GPU that is not in this machine."""
    if machine.device == "cpu":
        return resources.memory()
    if not resources.gpus():
        return None
    query = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    return int(subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]) << 20


def _mib(size: int) -> str:
    return f"{size >> 20:,} MiB"


def _parts(need: Need) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {size >> 20:,}" for name, size in need._asdict().items())
