"""Changes of outputs that the graph does not see. No input changes, so outputs in the cache need no run, and every
output has to be right in the end. `may` are stages that a tool without a cache has to run for that."""

import json
import os
import shutil

from benchmarks.edits.edit import Change, Edit, both, flip, nothing, params
from tests.conftest import Project

MODEL = "models/sft/model.safetensors"
PAGE = "reports/index.html"
QUANTIZED = "models/quantized/Q8_0/model.gguf"


def delete(path: str) -> Change:
    def change(project: Project) -> None:
        target = project.path / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return change


def touch(path: str) -> Change:
    return lambda project: os.utime(project.path / path)


def cached(project: Project, out: str) -> str:
    """The path of an output in DVC's cache, by dvc.lock; "" for Snakemake, which has no cache."""
    from ruamel.yaml import YAML

    lock = YAML(typ="safe").load(project.read("dvc.lock")) if (project.path / "dvc.lock").exists() else {"stages": {}}
    outs = [o for stage in lock["stages"].values() for o in stage.get("outs", ())]
    md5 = next((o["md5"] for o in outs if o["path"] == out), "")
    return f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}" if md5 else ""


def uncache(out: str) -> Change:
    def change(project: Project) -> None:
        if file := cached(project, out):
            delete(file)(project)

    return change


def flip_cached(out: str) -> Change:
    def change(project: Project) -> None:
        if file := cached(project, out):
            flip(file)(project)

    return change


def linked(path: str) -> Change:
    """Hard-links the output to the cache, as DVC does on file systems without reflinks."""

    def change(project: Project) -> None:
        file = cached(project, path)
        if file and not (project.path / path).samefile(project.path / file):
            (project.path / path).unlink()
            os.link(project.path / file, project.path / path)

    return change


def own(path: str) -> Change:
    """Makes the output a file apart from the cache, as on file systems with reflinks."""

    def change(project: Project) -> None:
        file = project.path / path
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content)

    return change


def keep(path: str) -> Change:
    """Saves a copy of a file."""
    return lambda project: shutil.copyfile(project.path / path, project.path / ".dvc/tmp/kept") and None


def put_back(path: str) -> Change:
    """Puts the saved copy in the place of the file."""
    return both(
        delete(path), lambda project: shutil.copyfile(project.path / ".dvc/tmp/kept", project.path / path) and None,
    )  # fmt: skip


def other_row(project: Project) -> None:
    """Changes one answer by hand, as editors do: a new file replaces the old one."""
    path = "reports/evaluate/dpo-chat.jsonl"
    first, *rest = project.read(path).splitlines()
    (project.path / path).unlink()
    project.write(path, "\n".join([json.dumps(json.loads(first) | {"answer": "by hand"}), *rest]) + "\n")


EDITS = {
    "an output deleted": Edit(
        delete("reports/card.md"), (), "the cache has it", {"card"}, before=nothing, suite=True,
    ),
    "deleted here and in the cache": Edit(
        both(uncache("reports/card.md"), delete("reports/card.md")), {"card"}, "no copy is left", before=nothing,
    ),
    "an output touched": Edit(touch(MODEL), (), "the same bytes", before=nothing),
    "a report edited by hand": Edit(other_row, (), "the cache has it", {"evaluate@dpo-chat"}, before=nothing),
    "a page replaced by an older one": Edit(
        put_back(PAGE), (), "the cache has the newer", {"report"},
        before=both(keep(PAGE), params("title: Support desk", "title: Help desk")),
    ),
    "a byte of a model, size and time kept": Edit(
        flip(MODEL), (), "the cache has it", {"merge@sft"}, before=own(MODEL),
    ),
    "a byte of a report that is linked to the cache": Edit(
        flip("reports/card.md"), {"card"}, "the cache has the same bad byte", before=linked("reports/card.md"),
    ),
    "a byte of a quantized file, size and time kept": Edit(
        flip(QUANTIZED), (), "the cache has it", {"quantize@Q8_0"}, before=own(QUANTIZED),
    ),
    "a byte in the cache, and the output deleted": Edit(
        both(flip_cached("reports/card.md"), delete("reports/card.md")), {"card"}, "the copy in the cache is bad",
        before=nothing,
    ),
}  # fmt: skip
