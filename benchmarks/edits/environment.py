"""Edits of locks. A stage has to run if it imports the package, or a package that needs it."""

from benchmarks.edits.edit import ALL, Edit, add, upgrade

EDITS = {
    "a package of two stages": Edit(
        upgrade("numba"), {"dedup", "split"}, "both look for near-duplicates", suite=True,
    ),
    "a package of one stage": Edit(upgrade("vl-convert-python"), {"report"}, "charts"),
    "a package of all": Edit(upgrade("msgspec"), ALL, "parameters and rows go through it"),
    "a cosmetic package": Edit(upgrade("tqdm"), (), "bars"),
    "a package of the tests": Edit(upgrade("pytest"), (), "no stage imports it"),
    "the lock of a tool that no entry names": Edit(
        add("envs/llama_cpp/uv.lock", "# a remark\n"), (), "no entry of quantize chooses it",
    ),
}  # fmt: skip
