"""What happens to outputs behind the graph's back. No input changes, so what the cache has need not be made again,
and every output has to be right in the end. `may` are stages that a tool without a cache has to run to that end."""

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
        found = project.path / path
        shutil.rmtree(found) if found.is_dir() else found.unlink()

    return change


def touch(path: str) -> Change:
    return lambda project: os.utime(project.path / path)


def cached(project: Project, out: str) -> str:
    """Where the cache has an output, by dvc.lock; Snakemake has none, and then there is nothing to spoil."""
    from ruamel.yaml import YAML

    lock = YAML(typ="safe").load(project.read("dvc.lock")) if (project.path / "dvc.lock").exists() else {"stages": {}}
    outs = [o for stage in lock["stages"].values() for o in stage.get("outs", ())]
    md5 = next((o["md5"] for o in outs if o["path"] == out), "")
    return f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}" if md5 else ""


def uncache(out: str) -> Change:
    def change(project: Project) -> None:
        if found := cached(project, out):
            delete(found)(project)

    return change


def flip_cached(out: str) -> Change:
    def change(project: Project) -> None:
        if found := cached(project, out):
            flip(found)(project)

    return change


def linked(path: str) -> Change:
    """Makes the output the cache's own file, as DVC links it where the file system can do no better."""

    def change(project: Project) -> None:
        found = cached(project, path)
        if found and not (project.path / path).samefile(project.path / found):
            (project.path / path).unlink()
            os.link(project.path / found, project.path / path)

    return change


def own(path: str) -> Change:
    """Makes the output a file of its own, as where the file system has reflinks."""

    def change(project: Project) -> None:
        file = project.path / path
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content)

    return change


def keep(path: str) -> Change:
    """Puts a copy of a file aside."""
    return lambda project: shutil.copyfile(project.path / path, project.path / ".dvc/tmp/kept") and None


def put_back(path: str) -> Change:
    """The copy in the file's place."""
    return both(
        delete(path), lambda project: shutil.copyfile(project.path / ".dvc/tmp/kept", project.path / path) and None,
    )  # fmt: skip


def other_row(project: Project) -> None:
    """One answer by hand, as editors write a file: a new one in its place."""
    path = "reports/evaluate/dpo-chat.jsonl"
    first, *rest = project.read(path).splitlines()
    (project.path / path).unlink()
    project.write(path, "\n".join([json.dumps(json.loads(first) | {"answer": "by hand"}), *rest]) + "\n")


EDITS = {
    "an output deleted": Edit(
        delete("reports/card.md"), (), "the cache has it", {"card"}, before=nothing, suite=True,
    ),
    "deleted here and in the cache": Edit(
        both(uncache("reports/card.md"), delete("reports/card.md")), {"card"}, "it is nowhere", before=nothing,
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
        both(flip_cached("reports/card.md"), delete("reports/card.md")), {"card"}, "what the cache has is not it",
        before=nothing,
    ),
}  # fmt: skip
