"""Edits of locks. A stage has to run if it imports the package, or one that needs it or uses it if it is there."""

from benchmarks.edits.edit import ALL, ANSWER, TRAIN, Change, Edit, add, source, upgrade
from tests.conftest import Project

CHARTS = "vl-convert-python"
REVISION = '{ git = "https://example.org/vl.git#%s" }'


def wheel(package: str) -> Change:
    """Adds a wheel to a package in uv.lock."""

    def change(project: Project) -> None:
        head, name, rest = project.read("uv.lock").partition(f'name = "{package}"\nversion = ')
        before, wheels, after = rest.partition("wheels = [\n")
        other = '    { url = "https://example.org/other.whl", hash = "sha256:00" },\n'
        project.write("uv.lock", "".join([head, name, before, wheels, other, after]))

    return change


EDITS = {
    "a package of two stages": Edit(
        upgrade("numba"), {"dedup", "split"}, "both look for near-duplicates", suite=True,
    ),
    "a package of one stage": Edit(upgrade("vl-convert-python"), {"report"}, "charts"),
    "a package of all": Edit(upgrade("msgspec"), ALL, "parameters and rows go through it"),
    "a cosmetic package": Edit(upgrade("tqdm"), (), "bars"),
    "a package of the tests": Edit(upgrade("pytest"), (), "no stage imports it"),
    "a package that libraries import if it is there": Edit(
        upgrade("bitsandbytes"), {"base", *TRAIN, "merge@sft", "merge@dpo", *ANSWER, "answer_quantized@Q8_0"},
        "peft and transformers import it",
    ),
    "a package that two libraries import if it is there": Edit(
        upgrade("orjson"), {"datasheet", "answer_quantized@Q8_0"}, "rdflib and xllamacpp import it",
    ),
    "the revision of a package from git": Edit(
        source(CHARTS, REVISION % "b2"), {"report"}, "charts", before=source(CHARTS, REVISION % "a1"),
    ),
    "another registry": Edit(
        source(CHARTS, '{ registry = "https://example.org/simple" }'), {"report"}, "it may hold other files",
    ),
    "a wheel for another platform": Edit(
        wheel("msgspec"), (), "the same version",
    ),
    "the version of the project": Edit(upgrade("modelmake"), (), "its code is in the keys, symbol by symbol"),
    "the build settings of a tool that no entry names": Edit(
        add("envs/llama_cpp/pyproject.toml", "[tool.uv.config-settings]\n"), (), "no entry of quantize chooses it",
    ),
    "the lock of a tool that no entry names": Edit(
        add("envs/llama_cpp/uv.lock", "# a remark\n"), (), "no entry of quantize chooses it",
    ),
}  # fmt: skip
