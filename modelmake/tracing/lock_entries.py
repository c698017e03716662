"""Stages as a dvc.lock records them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from modelmake.keys import key_file


@dataclass(frozen=True, eq=False)
class LockedStage:
    """The record of one stage. Builds whose dvc.lock records the same share the object."""

    number: int  # in the index
    name: str
    record: dict[str, Any]  # cmd, deps, params, outs as in dvc.lock

    @cached_property
    def deps(self) -> dict[str, str]:
        """{path: MD5}; "" where DVC recorded another kind of hash."""
        return {dep["path"]: dep.get("md5", "") for dep in self.record.get("deps", [])}

    @cached_property
    def outs(self) -> dict[str, str]:
        """{path: MD5}."""
        return {out["path"]: out.get("md5", "") for out in self.record.get("outs", [])}

    @cached_property
    def params(self) -> dict[str, Any]:
        """{dotted name: value}. Lists are values."""
        result: dict[str, Any] = {}
        for sections in (self.record.get("params") or {}).values():
            result.update(_flat(sections, ""))
        return result

    @property
    def key_file(self) -> str:
        """The dependency that lists the stage's code and packages."""
        return key_file.path_of(self.name)


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    else:
        yield name, value


def parse(text: bytes, parsed: dict[str, list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """(name, JSON of {"stage", "record"}) of each stage in the text of a dvc.lock.

    The lock of one commit repeats most of the one before, so a stage's lines are parsed once: `parsed` keeps them.

    Raises:
        ValueError: the text is not a dvc.lock; it has the markers of a merge conflict, say.
    """
    sections = re.split(r"^(?=\S)", text.decode("utf-8"), flags=re.MULTILINE)
    if unknown := next((s for s in sections if s.strip() and not re.match(r"\w+:", s)), ""):
        raise ValueError(f"not a valid dvc.lock: {unknown.splitlines()[0]}")
    stages = next((section for section in sections if section.startswith("stages:")), "")
    result: list[tuple[str, str]] = []
    _, *blocks = re.split(r"^(?=  \S)", stages, flags=re.MULTILINE)
    for block in blocks:
        if block not in parsed:
            parsed[block] = _parse_block(block)
        result += parsed[block]
    return result


def _parse_block(block: str) -> list[tuple[str, str]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        values = YAML(typ="safe", pure=True).load(block)
    except YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if not isinstance(values, dict) or not all(isinstance(record, dict) for record in values.values()):
        raise ValueError(f"not a stage of dvc.lock: {block.splitlines()[0].strip()}")
    return [
        (stage, json.dumps({"stage": stage, "record": record}, sort_keys=True, default=str))
        for stage, record in values.items()
    ]
