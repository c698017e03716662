"""The inputs that differ between two builds: those that the stages before the target read, each once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmake.blaming import inputs
from modelmake.blaming.inputs import Input, Side
from modelmake.dvc.graph import Stage

PARAMS = """
machine: {threads: 1}
ingest: {raw: data/raw, kept: 3}
base: {source: models/given, steps: 1}
train: {sft: {rate: 0.1, layers: {r: 8}}, dpo: {rate: 0.5}}
suites: {chat: {rows: 5}}
card: {name: ours}
"""
FILES = {
    "params.yaml": PARAMS,
    "dvc.yaml": "stages: {}",
    "uv.lock": "torch 1",
    "stages/train.py": "fit",
    "stages/prompts/one.txt": "Ask.",
    "stages/unread.py": "1",
    "data/raw/a.jsonl": "a\n",
    "data/raw/b.jsonl": "b\n",
    "data/golden.jsonl": "\n",
    "models/given/config.json": "{}",
    "keys/train.sft.json": json.dumps({"symbols": {"stages.train": {"fit": "1"}}, "packages": {"torch": "1"}}),
}


def stage(name: str, deps: str, params: str, outs: str, needs: str, cmd: str = "run") -> Stage:
    return Stage(name, cmd, tuple(deps.split()), tuple(params.split()), tuple(outs.split()), tuple(needs.split()))


def graph() -> dict[str, Stage]:
    stages = [
        stage("preflight", "params.yaml uv.lock stages", "", "keys", ""),
        stage("ingest", "keys/ingest.json data/raw", "ingest", "data/rows.jsonl", "preflight"),
        stage("base", "models/given", "base machine", "models/base", "preflight"),
        stage("train@sft", "keys/train.sft.json models/base data/rows.jsonl data/golden.jsonl stages/prompts",
              "train.sft machine", "models/sft", "preflight ingest base"),
        stage("merge@sft", "models/sft", "train.sft.layers", "models/merged", "train@sft"),
        stage("train@dpo", "models/merged", "train.dpo", "models/dpo", "merge@sft"),
        stage("evaluate@sft-chat", "models/merged", "suites.chat", "reports/sft-chat.jsonl", "merge@sft"),
        stage("card", "reports/sft-chat.jsonl", "card", "card.md", "evaluate@sft-chat"),
    ]  # fmt: skip
    return {made.name: made for made in stages}


@pytest.fixture
def sides(tmp_path: Path) -> Callable[..., tuple[Side, Side]]:
    """The two builds. Keyword arguments are files of the newer one: `data_raw_a_jsonl`; None: it has no such file."""

    def make(changes: dict[str, str | None]) -> tuple[Side, Side]:
        for name, files in {"old": FILES, "new": FILES | changes}.items():
            for file, text in files.items():
                if text is not None:
                    (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
                    (tmp_path / name / file).write_text(text)
        needed = inputs.makers(graph(), "evaluate@sft-chat")
        return Side(tmp_path / "old", Path(), needed), Side(tmp_path / "new", Path(), needed)

    return make


def changed(sides: tuple[Side, Side]) -> list[Input]:
    return inputs.changed(*sides, ("ingest",), {"base": "base model"})


def test_a_build_is_made_by_what_leads_to_it() -> None:
    assert [*inputs.makers(graph(), "merge@sft")] == ["preflight", "ingest", "base", "train@sft", "merge@sft"]


def test_two_equal_builds_have_no_input_that_differs(sides: Callable[..., Any]) -> None:
    assert changed(sides({})) == []


def test_each_file_of_rows_is_an_input_and_other_files_are_whole(sides: Callable[..., Any]) -> None:
    both = sides(
        {"data/raw/a.jsonl": "A\n", "data/raw/b.jsonl": None, "data/raw/c.jsonl": "c\n", "data/golden.jsonl": "g"}
    )

    assert changed(both) == [
        Input("data/raw/a.jsonl", "rows", ("data/raw/a.jsonl",), details=("changed",)),
        Input("data/raw/b.jsonl", "rows", ("data/raw/b.jsonl",), details=("removed",)),
        Input("data/raw/c.jsonl", "rows", ("data/raw/c.jsonl",), details=("added",)),
        Input("data/golden.jsonl", "files", ("data/golden.jsonl",), details=("data/golden.jsonl changed",)),
    ]


def test_a_file_under_another_name_is_one_input(sides: Callable[..., Any]) -> None:
    [found] = changed(sides({"data/raw/b.jsonl": None, "data/raw/z.jsonl": "b\n"}))

    assert found.paths == ("data/raw/b.jsonl", "data/raw/z.jsonl")
    assert (found.name, found.details) == ("data/raw/z.jsonl", ("was data/raw/b.jsonl",))


def test_sections_are_those_that_stages_declare_and_1_is_not_true(sides: Callable[..., Any]) -> None:
    edited = PARAMS.replace("rate: 0.1", "rate: 0.2").replace("r: 8", "r: 4").replace("threads: 1", "threads: true")
    both = sides({"params.yaml": edited.replace("rate: 0.5", "rate: 0.6").replace("ours", "yours")})
    found = changed(both)

    assert [(one.name, one.kind, one.sections) for one in found] == [
        ("machine", "parameters", ("machine",)),
        ("train.sft", "parameters", ("train.sft",)),
    ]
    assert found[1].details == ("train.sft.rate 0.1 -> 0.2", "train.sft.layers.r 8 -> 4")
    assert inputs.unread(*both, found) == ["card"]


def test_what_no_stage_before_the_target_reads_is_told_as_unread(sides: Callable[..., Any]) -> None:
    both = sides({"params.yaml": PARAMS.replace("rate: 0.5", "rate: 0.6").replace("ours", "yours")})

    assert changed(both) == []
    assert inputs.unread(*both, []) == ["train", "card"]


def test_the_base_model_is_its_section_and_its_files(sides: Callable[..., Any]) -> None:
    both = sides({"models/given/config.json": "[]", "params.yaml": PARAMS.replace("steps: 1", "steps: 2")})

    assert changed(both) == [
        Input(
            "base model", "base model", ("models/given",), ("base",),
            ("models/given/config.json changed", "base.steps 1 -> 2"),
        )
    ]  # fmt: skip


def test_code_counts_where_a_key_differs_and_packages_apart_from_it(sides: Callable[..., Any]) -> None:
    key = {"symbols": {"stages.train": {"fit": "2"}}, "packages": {"torch": "2"}}
    code, packages = changed(sides({
        "stages/train.py": "fit better", "uv.lock": "torch 2", "keys/train.sft.json": json.dumps(key),
    }))  # fmt: skip

    assert (code.kind, code.paths, code.details) == ("code", ("stages",), ("stages.train.fit",))
    assert (packages.kind, packages.paths, packages.details) == ("packages", ("uv.lock",), ("package torch 1 -> 2",))


def test_code_that_no_key_has_is_no_input_but_a_file_that_a_stage_reads_is(sides: Callable[..., Any]) -> None:
    assert changed(sides({"stages/unread.py": "2"})) == []
    [code] = changed(sides({"stages/prompts/one.txt": "Ask again."}))
    assert (code.kind, code.paths) == ("code", ("stages", "stages/prompts"))
    assert code.details == ("file stages/prompts",)


def test_compiled_modules_are_no_code(sides: Callable[..., Any]) -> None:
    assert changed(sides({"stages/__pycache__/train.pyc": "x", "stages/prompts/__pycache__/one.pyc": "x"})) == []


def test_inputs_that_go_together_are_one() -> None:
    both = inputs.together([
        Input("code", "code", ("stages",), details=("stages.train.fit",)),
        Input("train.sft", "parameters", (), ("train.sft",), ("train.sft.best absent -> null",)),
    ])  # fmt: skip

    assert both == Input(
        "code and train.sft", "together", ("stages",), ("train.sft",),
        ("stages.train.fit", "train.sft.best absent -> null"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("section", "value", "expected"),
    [
        ("a", 2, {"a": 2, "b": {"c": 3}}),
        ("b.c", ..., {"a": 1, "b": {}}),
        ("b.d", [1], {"a": 1, "b": {"c": 3, "d": [1]}}),
        ("e.f", 0, {"a": 1, "b": {"c": 3}, "e": {"f": 0}}),
        ("z", ..., {"a": 1, "b": {"c": 3}}),
    ],
)
def test_a_section_is_set_or_removed(section: str, value: Any, expected: Any) -> None:
    values = {"a": 1, "b": {"c": 3}}
    inputs.put(values, section, value)

    assert values == expected
    assert inputs.value_of(values, section) == value


def test_a_file_that_only_the_older_build_reads_goes_with_the_section_that_names_it(tmp_path: Path) -> None:
    old, new = graph(), graph()
    old["ingest"] = stage("ingest", "data/before", "ingest", "data/rows.jsonl", "preflight")
    for name, nodes, raw in (("old", old, "data/before"), ("new", new, "data/raw")):
        for file, text in (FILES | {"params.yaml": PARAMS.replace("data/raw", raw), f"{raw}/x.jsonl": name}).items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(text)
        nodes.pop("card")
    made = [Side(tmp_path / name, Path(), nodes) for name, nodes in (("old", old), ("new", new))]
    [found] = inputs.changed(made[0], made[1], ("ingest",))

    assert (found.name, found.paths, found.sections) == ("ingest", ("data/before",), ("ingest",))
