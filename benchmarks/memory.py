"""Memory that `modelmake plan` foresees for a training step, beside the peak of the real stage.

    uv run python benchmarks/memory.py [--json]

Models of random weights and several shapes are trained for three steps on the CPU by the stage `train`, each in a
process of its own, on made-up chats of like length. What is foreseen is held against what the process took above its
imports: once with glibc giving freed memory back, as tensors on a GPU are, and once as stages run here, which keep it
(docs/decisions/0004). `ratio` is foreseen by taken.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from modelmake import params
from stages.params.machine import Machine
from stages.params.training import Step
from stages.proposing.proposal import LORA
from stages.rows import jsonl
from stages.rows.row import Chat, Message, make_row
from stages.training import memory
from tests.tiny_models import build_model

CPU = Machine("cpu", "float32", 1)
SHAPES = {
    "wide": {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 4, "vocab_size": 8_000},
    "deep": {"hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 16, "vocab_size": 4_000},
    "words": {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "vocab_size": 128_000},
}
STEPS = {
    "all": {},
    "all, checkpointed": {"gradient_checkpointing": True},
    "all, batch 4": {"per_device_train_batch_size": 4},
    "lora": {"weights": LORA},
}
ROWS, TOKENS = 48, 256
RETURN_FREED = {"MALLOC_MMAP_THRESHOLD_": "65536"}
CHILD = """
import json, resource, sys
from pathlib import Path
import datasets, peft, torch, transformers, trl
from benchmarks import memory
print(json.dumps(memory.take(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3] == "kept")))
"""


def step(changes: dict[str, Any]) -> Step:
    """The default's step with changes; three steps of the optimizer."""
    values = params.load(Path(__file__).parents[1] / "recipes/default.yaml")["train"]["sft"]
    batch = {"per_device_train_batch_size": 16, "max_length": TOKENS, **changes}
    epochs = 3 * batch["per_device_train_batch_size"] / ROWS
    small = {"num_train_epochs": epochs, "logging_steps": 1, "warmup_steps": 0}
    return params.section({"train": {"sft": {**values, **small, **batch}}}, "train.sft", Step, "recipes/default.yaml")


def make(folder: Path, shape: dict[str, Any]) -> None:
    """A model, and chats of about TOKENS tokens, half of them the assistant's."""
    (folder / "model").mkdir()
    build_model(folder / "model", num_key_value_heads=4, max_position_embeddings=TOKENS, **shape)
    words = "row {} of them "
    for name, n in (("train", ROWS), ("val", 0)):
        turns = [[Message(role, (words.format(i) * 12)[:115]) for role in ("user", "assistant")] for i in range(n)]
        jsonl.write(folder / f"{name}.jsonl", [make_row(Chat(turn, [])) for turn in turns])


def take(folder: Path, changes: dict[str, Any], keep: bool) -> dict[str, Any]:
    """MiB that the stage takes in this process, and the tokens that it read."""
    import resource

    from modelmake.running import threads
    from stages import train

    if keep:
        threads.limit(1)
    before = _resident()
    second = Path(__file__).parents[1] / "recipes/no_model.json"
    files = [
        folder / "train.jsonl",
        folder / "val.jsonl",
        *(folder / name for name in ("trained", "ids", "log", "work")),
    ]
    train.main(folder / "model", second, *files, "sft", step(changes), CPU)
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"taken": taken >> 10, **json.loads((folder / "log").read_text())["tokens"]}


def _resident() -> int:
    """KiB of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * (os.sysconf("SC_PAGE_SIZE") >> 10)


def measure(shape: str, changes: dict[str, Any]) -> dict[str, Any]:
    """{foreseen, taken, ratio, kept}: MiB, and foreseen by taken."""
    from transformers import AutoConfig

    found = {}
    for way in ("taken", "kept"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make(folder, SHAPES[shape])
            environment = {**os.environ, **(RETURN_FREED if way == "taken" else {})}
            done = subprocess.run(
                [sys.executable, "-c", CHILD, name, json.dumps(changes), way], env=environment, capture_output=True,
                text=True, cwd=Path(__file__).parents[1], check=False,
            )  # fmt: skip
            if done.returncode:
                sys.exit(done.stderr)
            found[way] = json.loads(done.stdout.splitlines()[-1])
            config = AutoConfig.from_pretrained(folder / "model")
    tokens = found["taken"]
    trained = tokens["trained"] / tokens["total"]
    foreseen = memory.need(config, step(changes), CPU, tokens["longest"], trained).peak >> 20
    taken, kept = (found[way]["taken"] for way in ("taken", "kept"))
    return {"foreseen": foreseen, "taken": taken, "ratio": round(foreseen / taken, 3), "kept": kept}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = {}
    for shape in SHAPES:
        for name, changes in STEPS.items():
            results[f"{shape}: {name}"] = result = measure(shape, changes)
            print(f"{shape}: {name}: {result}", file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps(results))
        return
    print(f"{'':24}{'foreseen':>10}{'taken':>10}{'ratio':>8}{'kept':>10}   MiB")
    for name, result in results.items():
        print(f"{name:24}{result['foreseen']:>10}{result['taken']:>10}{result['ratio']:>8}{result['kept']:>10}")


if __name__ == "__main__":
    main()
