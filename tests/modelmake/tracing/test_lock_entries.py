"""The text of a dvc.lock, parsed stage by stage."""

import json

import pytest

from modelmake.tracing import lock_entries
from modelmake.tracing.lock_entries import LockedStage

LOCK = b"""schema: '2.0'
stages:
  clean:
    cmd: python -m stages.clean
    deps:
    - path: keys/clean.json
      md5: 1a
    - path: s3://bucket/rows
      etag: 2b
    params:
      params.yaml:
        clean:
          rules: [a, b]
          limits: {chars: 5, none: {}}
    outs:
    - path: cleaned
      md5: 3c.dir
  train@sft:
    cmd: python -m stages.train --step sft
"""


def stage(text: bytes, number: int = 0) -> LockedStage:
    name, content = lock_entries.parse(text, {})[number]
    return LockedStage(1, name, json.loads(content)["record"])


def test_a_stage_has_its_inputs_outputs_and_parameters_by_name() -> None:
    clean = stage(LOCK)

    assert clean.deps == {"keys/clean.json": "1a", "s3://bucket/rows": ""}
    assert clean.outs == {"cleaned": "3c.dir"}
    assert clean.params == {"clean.rules": ["a", "b"], "clean.limits.chars": 5, "clean.limits.none": {}}
    assert clean.key_file == "keys/clean.json"


def test_a_stage_without_inputs_has_none() -> None:
    train = stage(LOCK, 1)

    assert (train.name, train.deps, train.outs, train.params) == ("train@sft", {}, {}, {})
    assert train.key_file == "keys/train.sft.json"


def test_lines_that_an_earlier_lock_had_are_not_parsed_again() -> None:
    parsed: dict[str, list[tuple[str, str]]] = {}
    first = lock_entries.parse(LOCK, parsed)
    blocks = dict(parsed)

    second = lock_entries.parse(LOCK.replace(b"--step sft", b"--step dpo"), parsed)

    assert second[0] == first[0] and second[1] != first[1]
    assert len(blocks) == 2 and len(parsed) == 3


def test_a_lock_without_stages_has_none() -> None:
    assert lock_entries.parse(b"schema: '2.0'\nstages: {}\n", {}) == []
    assert lock_entries.parse(b"", {}) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"<<<<<<< HEAD\n" + LOCK, "not a valid dvc.lock: <<<<<<< HEAD"),
        (b"stages:\n  clean: nothing\n", "not a stage of dvc.lock: clean: nothing"),
        (b"stages:\n  clean: {\n", "while parsing a flow"),
    ],
)
def test_a_text_that_is_no_lock_is_refused(text: bytes, problem: str) -> None:
    with pytest.raises(ValueError) as error:
        lock_entries.parse(text, {})

    assert str(error.value).startswith(problem)
