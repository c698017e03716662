"""Training beside the usual TRL script, in one run: the same rows, model, seed and epochs, one thread.

    uv run python benchmarks/training.py [--runs 3] [--epochs 3] [--project FOLDER] [--json]

The default's base and rows are built in a clone (--project: one that has them). Its steps `sft` (all weights) and `dpo`
(LoRA, from what sft gave) are then trained by the stage and by scripts on TRL (benchmarks/training_runs.py), in turn,
each in a process of its own. Useful tokens are those of the rows, without padding, once an epoch. CPU seconds are from
the end of imports to the saved weights: rendering, tokenizing, the reference of DPO, training, evaluations of held-out
rows as declared; `training_alone` is the ratio of what Trainer.train() takes. Ratios are of medians over the runs; a
ratio of tokens above 1 is for the stage, one of peak memory below 1. Then what the last run trained answers the
held-out chats. `vocabulary_128k` are two steps of sft on a model of random weights with 131,072 tokens.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
WIDE = 131_072  # tokens of the large vocabulary
STEPS = {"sft": ("base", "chat", ("usual", "bare", "ours")), "dpo": ("sft", "pair", ("usual", "ours"))}
STAGES = ("base", "mix", "split")  # what the steps start from


def built(folder: Path) -> Path:
    """A clone with the default's base and rows."""
    from tests.conftest import clone

    print(clone(folder).repro(*STAGES), file=sys.stderr)
    return folder


def run(how: str, specification: dict[str, Any], folder: Path, program: str = "training_runs.py") -> dict[str, Any]:
    """What a program of runs, in a process of its own, says of one."""
    (folder / "specification.json").write_text(json.dumps(specification))
    files = [folder / "specification.json", folder / "result.json"]
    command = [sys.executable, ROOT / "benchmarks" / program, how, *files]
    subprocess.run(list(map(str, command)), check=True, cwd=ROOT, stdout=sys.stderr)
    return json.loads(files[1].read_bytes())


def compare(step: str, project: Path, runs: int, epochs: float, folder: Path) -> dict[str, Any]:
    """Tokens a CPU second and peak memory of every way to train a step, and their ratios."""
    start, kind, ways = STEPS[step]
    files = [project / f"data/{name}/{kind}.jsonl" for name in ("mixed", "splits/val")]
    measured: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for number in range(runs):
        for way in ways if number % 2 else reversed(ways):
            kept = folder / f"{step}-{way}"
            shutil.rmtree(kept, ignore_errors=True)
            specification = {
                "step": step, "start": str(folder / "sft-ours" if start == "sft" else project / "models" / start),
                "rows": list(map(str, files)), "changes": {"num_train_epochs": epochs}, "kept": str(kept),
            }  # fmt: skip
            measured[way].append(run(way, specification, folder))
            print(step, way, measured[way][-1], file=sys.stderr)
    useful = tokens(files[0], project / "models/base", step) * epochs
    medians = {
        way: {name: statistics.median(of[name] for of in found) for name in found[0]} for way, found in measured.items()
    }
    figures: dict[str, Any] = {
        way: {"tokens_per_cpu_s": round(useful / of["cpu_s"]), "peak_mib": round(of["peak_mib"])}
        for way, of in medians.items()
    }
    for way in figures:
        figures[way]["held_out"] = held_out(folder / f"{step}-{way}", folder, project)
    ratios = {
        "ratio": round(medians["usual"]["cpu_s"] / medians["ours"]["cpu_s"], 2),
        "training_alone": round(medians["usual"]["train_cpu_s"] / medians["ours"]["train_cpu_s"], 2),
        "peak_ratio": round(medians["ours"]["peak_mib"] / medians["usual"]["peak_mib"], 2),
    }
    if "bare" in medians:
        ratios["overhead"] = round(medians["ours"]["cpu_s"] / medians["bare"]["cpu_s"] - 1, 3)
    return {**ratios, "ways": figures}


def tokens(file: Path, model: Path, step: str) -> int:
    """Tokens of a file's rows as the step reads them, both answers of a pair with their prompt."""
    import importlib

    from transformers import AutoTokenizer

    from benchmarks.training_runs import parameters
    from stages.rows import jsonl
    from stages.training import tokens
    from stages.training.row_renderer import RowRenderer

    params, _ = parameters(step, {})
    tokenizer = AutoTokenizer.from_pretrained(model)
    loss = importlib.import_module(params.modules()[0]).loss(params)
    renderer = RowRenderer(tokenizer, loss, [tokenizer.eos_token], [])
    encoded = tokens.encode([row.content for row in jsonl.read(file)], tokenizer, renderer)
    return sum(len(side.ids) for row in encoded for side in row.sides)


def held_out(trained: Path, folder: Path, project: Path) -> dict[str, float]:
    """Scores of what was trained on the held-out chats."""
    from modelmake import params
    from stages import answer, evaluate, preflight

    model = trained
    if (trained / "adapter_config.json").exists():
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        base, model = folder / "sft-ours", folder / "merged"
        adapted = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), trained)
        adapted.merge_and_unload().save_pretrained(model)
        AutoTokenizer.from_pretrained(base).save_pretrained(model)
    chapters, _ = preflight.decode(params.load(ROOT / "params.yaml"))
    with tempfile.TemporaryDirectory() as name:
        rows, answers, scores = project / "data/splits/test/chat.jsonl", Path(name, "answers"), Path(name, "scores")
        answer.main(model, rows, answers, Path(name), "chat", chapters["answer"]["chat"], chapters["machine"])
        evaluate.main(rows, answers, Path(name, "scored"), scores, Path(name), "chat", chapters["suites"]["chat"])
        return json.loads(scores.read_bytes())["metrics"]


def wide(project: Path, folder: Path) -> dict[str, Any]:
    """Peak memory of two steps with a vocabulary of 128k."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, set_seed

    start, rows = folder / "wide", [folder / "train.jsonl", folder / "val.jsonl"]
    config = AutoConfig.from_pretrained(project / "models/base")
    config.vocab_size = WIDE
    set_seed(1)
    AutoModelForCausalLM.from_config(config).save_pretrained(start)
    AutoTokenizer.from_pretrained(project / "models/base").save_pretrained(start)
    for file, source, count in zip(rows, ("mixed", "splits/val"), (32, 8), strict=True):
        lines = (project / f"data/{source}/chat.jsonl").read_bytes().splitlines(keepends=True)
        file.write_bytes(b"".join(lines[:count]))
    changes = {"num_train_epochs": 1, "per_device_train_batch_size": 16, "warmup_steps": 0}  # two steps
    specification = {"step": "sft", "start": str(start), "rows": list(map(str, rows)), "changes": changes, "kept": None}
    peaks = {way: run(way, specification, folder)["peak_mib"] for way in ("usual", "ours")}
    return {
        "peak_ratio": round(peaks["ours"] / peaks["usual"], 2),
        **{f"{way}_peak_mib": round(p) for way, p in peaks.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    from modelmake.running import threads

    threads.limit(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = arguments.project or built(folder / "project")
        result: dict[str, Any] = {"runs": arguments.runs, "epochs": arguments.epochs}
        result |= {step: compare(step, project, arguments.runs, arguments.epochs, folder) for step in STEPS}
        result["bare"] = {"overhead": result["sft"].pop("overhead")}
        result["vocabulary_128k"] = wide(project, folder)
    if arguments.json:
        print(json.dumps(result))
        return
    for step in STEPS:
        print(f"{step}: {result[step]['ratio']} times the tokens, {result[step]['peak_ratio']} of the peak memory")
        for way, figures in result[step]["ways"].items():
            print(f"  {way:6}", "  ".join(f"{name} {value}" for name, value in figures.items()))
    print(f"over its own settings, bare: {result['bare']['overhead']:+.1%}")
    print("vocabulary of 128k:", "  ".join(f"{name} {value}" for name, value in result["vocabulary_128k"].items()))


if __name__ == "__main__":
    main()
