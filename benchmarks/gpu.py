"""LoRA and QLoRA on a GPU beside the bare TRL script: tokens a second, peak memory, share of the peak of the GPU.

    uv run python benchmarks/gpu.py [--shape llama3_1_8b qwen3_0_6b] [--steps 10] [--json]
    uv run python benchmarks/gpu.py --shape tiny --device cpu

Models have the shapes of Llama-3.1-8B and Qwen3-0.6B and random weights, texts are random tokens: neither changes what
a step takes. Blocks of `--tokens` tokens are filled by four texts each; the stage packs them, and so does TRL. Every
run (benchmarks/gpu_runs.py) is a process of its own, with the same settings: bfloat16, r = 16 in all linear layers,
AdamW. `share` is what the adapter's training needs (4 operations a frozen weight and token, attention besides, nothing
twice) by the dense bfloat16 peak that NVIDIA gives for the GPU; there is none for GPUs that PEAKS does not list.
`ratio` is tokens a second of the stage by those of the bare script, `foreseen` what `modelmake plan` says of the peak.
Both sizes need 40 GB on the GPU, 20 GB of disk.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import training

RUNS = "gpu_runs.py"
PEAKS = {  # dense bfloat16 operations a second by a part of the GPU's name, from NVIDIA's data sheets
    "H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "A10": 125e12,
    "RTX 4090": 165e12, "RTX 3090": 71e12,
}  # fmt: skip
SIZES = {  # (rows of a step, gradient_checkpointing)
    "llama3_1_8b": (4, True), "qwen3_0_6b": (8, False), "tiny": (2, False),
}  # fmt: skip
WAYS, HOWS = ("lora", "qlora"), ("ours", "bare")


def peak(gpu: str | None) -> float | None:
    """Operations a second; the first name in PEAKS that is in the GPU's."""
    return next((flops for name, flops in PEAKS.items() if gpu and name in gpu), None)


def shape_figures(shape: str, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """{way: {ours and bare: figures, ratio}} of one shape, with its model and GPU."""
    batch, checkpointing = SIZES[shape]
    specification = {
        "shape": shape, "device": arguments.device, "tokens": arguments.tokens, "steps": arguments.steps,
        "batch": batch, "gradient_checkpointing": checkpointing, "threads": arguments.threads,
        "model": str(folder / shape),
    }  # fmt: skip
    made = training.run("model", specification, folder, RUNS)
    figures: dict[str, Any] = {"gpu": made["gpu"], "parameters": made["parameters"]}
    for way in WAYS:
        found = {how: training.run(how, {**specification, "way": way}, folder, RUNS) for how in HOWS}
        for how, of in found.items():
            rate, most = of["tokens"] / of["seconds"], peak(of["gpu"])
            share = round(rate * made["flops_per_token"] / most, 3) if most else None
            memory = {name: size for name, size in of.items() if name.endswith("_mib")}
            found[how] = {"tokens": of["tokens"], "tokens_per_s": round(rate), **memory, "share": share}
            print(shape, way, how, found[how], file=sys.stderr)
        ratio = round(found["ours"]["tokens_per_s"] / found["bare"]["tokens_per_s"], 2)
        figures[way] = {**found, "ratio": ratio}
    return figures


def table(found: dict[str, Any]) -> str:
    names = ["shape", "way", "", "tokens/s", "peak MiB", "foreseen MiB", "share of peak", "ratio"]
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for shape, figures in found.items():
        for way in WAYS:
            for how in HOWS:
                of = figures[way][how]
                share = "" if of["share"] is None else f"{of['share']:.1%}"
                ratio = figures[way]["ratio"] if how == "ours" else ""
                foreseen = f"{of['foreseen_mib']:,}" if "foreseen_mib" in of else ""
                cells = f"{of['tokens_per_s']:,} | {of['peak_mib']:,} | {foreseen} | {share} | {ratio}"
                lines.append(f"| {shape} | {way} | {how} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", nargs="+", choices=SIZES, default=["llama3_1_8b", "qwen3_0_6b"])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tokens", type=int, default=2048, help="of a block")
    parser.add_argument("--steps", type=int, default=10, help="that are timed")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = {}
    for shape in arguments.shape:
        with tempfile.TemporaryDirectory() as folder:
            found[shape] = shape_figures(shape, arguments, Path(folder))
    print(json.dumps(found, indent=1) if arguments.json else table(found))


if __name__ == "__main__":
    main()
