"""Stages that were accepted on a probe: old and present code wrote the same bytes from a share of the inputs.

They are lines of `accepted.jsonl` in the project, which is in git beside `dvc.lock`. A line counts for the record of
dvc.lock that it names, with that command, these inputs, this key, these parameters and outputs, and for no other.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modelmake import identity
from modelmake.errors import UserError
from modelmake.running import jsonl_log, run_log
from modelmake.verifying import proofs

FILE = "accepted.jsonl"  # in the project


@dataclass(frozen=True)
class Acceptance:
    """A stage whose outputs were recorded under a new key without a run."""

    stage: str
    identity: str  # of the record in dvc.lock: command, inputs, parameters
    record: str  # digest of the record, by which proofs name it
    old_key: str  # MD5 of the key file with which the outputs were recorded before
    key: str  # and since
    commit: str  # which has the old code
    date: str  # UTC
    inputs: dict[str, str]  # {path: MD5}; without the key
    outs: dict[str, str]  # {path: MD5}
    rows: dict[str, list[int]]  # {table: [rows of the probe, all]}
    values: dict[str, Any]  # {parameter: its value in the probe, where that was another}
    before: list[str]  # the words of earlier probes since the run, oldest first: the old code was accepted itself

    def holds(self, record: dict[str, Any]) -> bool:
        """True if it is about this record of the stage in a dvc.lock."""
        outs = {out["path"]: out.get("md5", "") for out in record.get("outs", [])}
        return (self.identity, self.outs) == (identity.of_lock(record), outs)

    @property
    def words(self) -> str:
        """`accepted on a probe of 200 of 1,000 rows`, with earlier ones."""
        return ", before that ".join([f"accepted on {self.probe}", *reversed(self.before)])

    @property
    def probe(self) -> str:
        return probe_words(self.rows, self.values)


def probe_words(rows: dict[str, list[int]], values: dict[str, Any]) -> str:
    """`a probe of 200 of 1,000 rows, with base.max_steps 4`."""
    probed, total = (sum(counts) for counts in zip(*rows.values(), strict=True)) if rows else (0, 0)
    size = f"{probed:,} of {total:,} rows" if total else "whole inputs"
    return f"a probe of {size}" + "".join(f", with {name} {json.dumps(value)}" for name, value in values.items())


def parse(content: bytes) -> list[Acceptance]:
    """The acceptances in the content of the file.

    Raises:
        UserError: a line is no acceptance.
    """
    result = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            result.append(Acceptance(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise UserError(f"{FILE}: line {number}: {error}: want what `modelmake accept` wrote; remove it") from None
    return result


def read(root: Path) -> list[Acceptance]:
    """The acceptances of the working tree."""
    file = root / FILE
    return parse(file.read_bytes()) if file.is_file() else []


def unproven(root: Path, records: Mapping[str, str]) -> dict[str, Acceptance]:
    """{stage: the acceptance of its record}, {stage: digest}, that no rebuild has proven and no run here has made."""
    built = [(run["stage"], run.get("identity"), run.get("outs")) for run in run_log.read(root)
             if run["outcome"] == "done"]  # fmt: skip
    return {
        a.stage: a
        for a in read(root)
        if records.get(a.stage) == a.record and (a.stage, a.identity, a.outs) not in built and not proven(root, a)
    }


def proven(root: Path, acceptance: Acceptance) -> str:
    """The date of the last rebuild of the record, if it gave the same bytes; else ""."""
    last = proofs.last(root, acceptance.stage, acceptance.record)
    return last.date if last and {*last.outcome.values()} == {proofs.SAME} else ""


def in_words(root: Path, acceptance: Acceptance) -> str:
    """What is known of a record that no rebuild has proven."""
    last = proofs.last(root, acceptance.stage, acceptance.record)
    rebuilt = f"the rebuild of {last.date} gave other bytes" if last else "not rebuilt"
    return f"{acceptance.words}, {rebuilt}"


def save(root: Path, acceptances: Iterable[Acceptance]) -> None:
    """Replaces the project's file in one step."""
    partial = root / f".{FILE}.partial"
    partial.unlink(missing_ok=True)
    jsonl_log.append(partial, map(asdict, acceptances))
    os.replace(partial, root / FILE)
