"""Faults that are planted into small chains, and the twin that has to name them; and sound chains it may not accuse.

A fault is found if the first thing that the twin says names the part where it was planted. Bases are tiny models of
random weights, rows are made up; recipes run with their own steps, files, template and shape of tokenizer.

    python benchmarks/twin.py [--only REGEX] [--json]
"""

import argparse
import contextlib
import io
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.twin_cases import code, inputs, sound
from benchmarks.twin_cases.case import Case, patched
from stages.commands import init, twin_chain
from stages.commands.twin_chain import Twin
from stages.params.base_model import Base
from stages.params.release import Quant
from stages.params.training import Step
from tests.pipeline import architectures
from tests.twinning import made_up

ROOT = Path(__file__).parents[1]
DEFAULT = ROOT / "recipes/default.yaml"
# {step that the default recipe has not: (the one that it is made of, fields that it lacks, its own)}
MADE = {
    "kto": ("dpo", ("loss_type", "loss_weights"), {
        "method": "kto", "rows": "judged", "from": "base", "desirable_weight": 1.0, "undesirable_weight": 1.0}),
    "orpo": ("dpo", ("loss_type", "loss_weights"), {"method": "orpo", "from": "base"}),
    "distill": ("sft", (), {
        "method": "distill", "second_model": "models/base", "beta": 0.5, "temperature": 1.0, "alpha": 0.5}),
    "grpo": ("sft", ("assistant_only_loss",), {
        "method": "grpo", "rewards": {"compact": 1.0}, "label": None, "slots": [], "answer_schema": None,
        "num_generations": 4, "max_completion_length": 16, "temperature": 1.0, "beta": 0.0, "loss_type": "grpo",
        "scale_rewards": "group"}),
    "cpt": ("sft", ("assistant_only_loss",), {"method": "cpt", "rows": "text", "packing": False}),
}  # fmt: skip


def step(name: str, changes: dict[str, Any], train: dict[str, Any]) -> dict[str, Any]:
    """A step of the default recipe with changes; of those that it has not, see MADE."""
    like, lacks, own = MADE.get(name, (name, (), {}))
    values = {key: value for key, value in train[like].items() if key not in lacks} | own
    weights = changes.get("weights", values["weights"])
    weights = {**train["dpo"]["weights"], **weights} if weights["kind"] == "lora" else weights
    return {**values, "max_length": 256, **changes, "weights": weights}


def chapters(case: Case, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The base's source, and {base, train, quantize} as in params.yaml."""
    default = init.values(DEFAULT, DEFAULT)
    if case.recipe:
        values = init.values(ROOT / f"recipes/{case.recipe}.yaml", DEFAULT)
        base = values["base"]
        if base["kind"] != "tiny":
            corpus = [turn.content for content in made_up.contents("chat", 24) for turn in content.messages]
            architectures.write(architectures.ARCHITECTURES[case.recipe], folder / "base", corpus)
            base = {"kind": "folder", "source": "base", "chat_template": base["chat_template"]}
        else:
            (folder / "base").symlink_to(folder / "mixed" / Path(base["source"]).name)
        return folder / "base", {"base": base, "train": values["train"], "quantize": values["quantize"]}
    (folder / "base").mkdir()
    case.base(folder / "base")
    steps = {name: step(name, changes, default["train"]) for name, changes in case.steps.items()}
    last = list(steps)[-1]
    return folder / "base", {
        "base": {"kind": "folder", "source": "base", "chat_template": case.template},
        "train": steps,
        "quantize": {name: {"tool": "gguf", "from": last, "calibration": None} for name in case.quants},
    }


def told(case: Case) -> list[tuple[str, str]]:
    """What the twin says of a case: (part, all of it), in order."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made_up.write(folder / "mixed", **case.rows)
        source, values = chapters(case, folder)
        twin = Twin.at(folder / "work", folder / "mixed", 1)
        with patched(case):
            return [
                (fault.part, str(fault))
                for fault in twin_chain.prove(
                    twin, source, msgspec.convert(values["base"], Base),
                    msgspec.convert(values["train"], dict[str, Step]),
                    msgspec.convert(values["quantize"], dict[str, Quant]),
                )
            ]  # fmt: skip


def cases() -> list[Case]:
    tiny = [case for case in sound.RECIPES if _can_be_made(case.recipe)]
    return [*inputs.CASES, *code.TRAINING, *code.SERVING, *code.libraries(), *sound.CASES, *tiny]


def _can_be_made(recipe: str) -> bool:
    kind = init.values(ROOT / f"recipes/{recipe}.yaml", DEFAULT)["base"]["kind"]
    return kind == "tiny" or recipe in architectures.ARCHITECTURES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name this regular expression finds")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    options = parser.parse_args()
    started, counts = time.process_time(), {"planted": 0, "found": 0, "false_alarms": 0, "sound": 0}
    for case in cases():
        if not re.search(options.only, case.name):
            continue
        began = time.process_time()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                found = told(case)
        except Exception as error:  # one case that breaks is a fault that is not named
            found = [("", f"{type(error).__name__}: {error}")]
        right = [part for part, _ in found[:1]] == [case.part] if case.part else not found
        counts["planted" if case.part else "sound"] += 1
        counts["found"] += bool(case.part and right)
        counts["false_alarms"] += bool(not case.part and not right)
        seconds, name = time.process_time() - began, f"{case.name:47} {case.part or 'sound':15}"
        line = f"{name} {'yes' if right else 'NO ':3} {seconds:5.1f} s  {found[0][1] if found else ''}"
        print(line, file=sys.stderr if options.json else sys.stdout, flush=True)
    unmade = [case.recipe for case in sound.RECIPES if not _can_be_made(case.recipe)]
    result = {**counts, "seconds": round(time.process_time() - started, 1), "recipes_not_made": unmade}
    print(json.dumps(result) if options.json else result)


if __name__ == "__main__":
    main()
