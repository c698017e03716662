"""Edits of what is locked. A stage has to run where it imports the package, or a package that needs it."""

from benchmarks.edits.edit import ALL, EVALUATE, TRAIN, Edit, add, upgrade

MODELS = {"base", *TRAIN, "merge@sft", "merge@dpo", *EVALUATE, "parity@Q8_0", "quantize@Q8_0"}

EDITS = {
    "a package of two stages": Edit(
        upgrade("datasketch"), {"dedup", "split"}, "both look for near-duplicates", suite=True,
    ),
    "a package of one training step": Edit(upgrade("peft"), {*TRAIN, "merge@sft", "merge@dpo"}, "LoRA"),
    "a package of all": Edit(upgrade("msgspec"), ALL, "parameters and rows go through it"),
    "a cosmetic package": Edit(upgrade("tqdm"), (), "bars"),
    "a package of the tests": Edit(upgrade("pytest"), (), "no stage imports it"),
    "a comment in uv.lock": Edit(add("uv.lock", "# a remark\n"), (), "no version changes"),
    "the lock of a tool that no entry names": Edit(
        add("envs/llama_cpp/uv.lock", "# a remark\n"), (), "no entry of quantize chooses it",
    ),
}  # fmt: skip
