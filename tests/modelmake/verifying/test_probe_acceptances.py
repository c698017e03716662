"""An acceptance on a probe counts for the record that it names, and is told until a run or a rebuild says more."""

from dataclasses import replace
from pathlib import Path

import pytest

from modelmake import identity
from modelmake.errors import UserError
from modelmake.running import platform, run_log
from modelmake.tracing import acceptance as records
from modelmake.tracing.lock_entries import LockedStage
from modelmake.verifying import accept, probe_acceptances, proofs
from modelmake.verifying.probe_acceptances import Acceptance
from modelmake.verifying.proofs import Proof

RECORD = {
    "cmd": "python -m stages.clean",
    "deps": [{"path": "keys/clean.json", "md5": "new"}, {"path": "rows.jsonl", "md5": "r"}],
    "params": {"params.yaml": {"clean": {"max_chars": 9}}},
    "outs": [{"path": "cleaned.jsonl", "md5": "c"}],
}
ACCEPTED = Acceptance(
    stage="clean", identity=identity.of_lock(RECORD), record="digest", old_key="old", key="new", commit="0123456789ab",
    date="2026-01-02T03:04:05Z", inputs={"rows.jsonl": "r"}, outs={"cleaned.jsonl": "c"},
    rows={"rows.jsonl": [200, 5200]}, values={}, before=[],
)  # fmt: skip
WORDS = "accepted on a probe of 200 of 5,200 rows"


def rebuilt(root: Path, outcome: str) -> None:
    proof = Proof(
        "clean", "digest", "f" * 40, "2026-02-03T00:00:00Z", platform.read({}), None, {"cleaned.jsonl": outcome}
    )
    proofs.jsonl_log.append(root / proofs.FILE, [proofs._fields(proof)])


def in_trace(root: Path, acceptance: Acceptance) -> tuple[str, str]:
    state = records.state(LockedStage(0, "clean", RECORD), [], [], [acceptance], root)
    return state["state"], state["message"]


def test_the_words_name_rows_other_values_and_earlier_probes() -> None:
    assert ACCEPTED.words == WORDS
    assert replace(ACCEPTED, rows={}).words == "accepted on a probe of whole inputs"
    chain = replace(ACCEPTED, values={"base.max_steps": 4}, before=["a probe of 1 of 2 rows", "a probe of 2 of 2 rows"])
    assert chain.words == (
        f"{WORDS}, with base.max_steps 4, before that a probe of 2 of 2 rows, before that a probe of 1 of 2 rows"
    )


@pytest.mark.parametrize(
    "path", [("deps", 0, "md5"), ("deps", 1, "md5"), ("params", "params.yaml", "clean"), ("outs", 0, "md5"), ("cmd",)]
)
def test_an_acceptance_holds_for_its_record_alone(path: tuple) -> None:
    changed = {**RECORD, "deps": [dict(dep) for dep in RECORD["deps"]], "outs": [dict(out) for out in RECORD["outs"]]}
    changed["params"] = {"params.yaml": {"clean": {"max_chars": 9}}}
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = "another"

    assert ACCEPTED.holds(RECORD) and not ACCEPTED.holds(changed)
    assert in_trace(Path("nowhere"), ACCEPTED)[0] == "accepted"
    assert records.state(LockedStage(0, "clean", changed), [], [], [ACCEPTED], Path("nowhere"))["state"] == "unknown"


def test_it_is_told_until_a_rebuild_proves_or_refutes_it(tmp_path: Path) -> None:
    probe_acceptances.save(tmp_path, [ACCEPTED])
    assert probe_acceptances.unproven(tmp_path, {"clean": "digest"}) == {"clean": ACCEPTED}
    assert probe_acceptances.unproven(tmp_path, {"clean": "another"}) == {}
    assert in_trace(tmp_path, ACCEPTED) == (
        "accepted", f"{WORDS}, not rebuilt: on the probe the code of 0123456789 wrote the same bytes",
    )  # fmt: skip

    rebuilt(tmp_path, "other")
    assert (
        probe_acceptances.in_words(tmp_path, ACCEPTED)
        == f"{WORDS}, the rebuild of 2026-02-03T00:00:00Z gave other bytes"
    )
    assert in_trace(tmp_path, ACCEPTED)[0] == "accepted"

    (tmp_path / proofs.FILE).unlink()
    rebuilt(tmp_path, "same")
    assert probe_acceptances.unproven(tmp_path, {"clean": "digest"}) == {}
    assert in_trace(tmp_path, ACCEPTED) == (
        "built", f"{WORDS}; the rebuild of 2026-02-03T00:00:00Z gave the same bytes",
    )  # fmt: skip


def test_a_run_here_with_the_same_inputs_and_outputs_proves_it(tmp_path: Path) -> None:
    probe_acceptances.save(tmp_path, [ACCEPTED])
    run = {"stage": "clean", "outcome": "done", "identity": ACCEPTED.identity, "outs": {"cleaned.jsonl": "d"}}
    run_log.append(tmp_path, run)
    assert probe_acceptances.unproven(tmp_path, {"clean": "digest"}) == {"clean": ACCEPTED}

    run_log.append(tmp_path, run | {"outs": ACCEPTED.outs})
    assert probe_acceptances.unproven(tmp_path, {"clean": "digest"}) == {}


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "accepted.jsonl").write_text('{"stage": "clean"}\n')

    with pytest.raises(UserError, match=r"^accepted.jsonl: line 1: .*: want what `modelmake accept` wrote; remove it$"):
        probe_acceptances.read(tmp_path)


def test_a_record_that_no_run_made_is_told_with_the_probe_that_follows_it(tmp_path: Path) -> None:
    assert accept._before(tmp_path, "clean", RECORD, None) == [], "no record here: built elsewhere"
    assert accept._before(tmp_path, "clean", RECORD, replace(ACCEPTED, before=["a probe of 1 of 2 rows"])) == [
        "a probe of 1 of 2 rows", "a probe of 200 of 5,200 rows",
    ]  # fmt: skip

    run = {"stage": "clean", "outcome": "done", "started": "2026", "seconds": 1, "outs": ACCEPTED.outs}
    run_log.append(tmp_path, run | {"identity": "of other inputs"})
    assert accept._before(tmp_path, "clean", RECORD, None) == ["`dvc commit` without a run"]
    run_log.append(tmp_path, run | {"identity": ACCEPTED.identity})
    assert accept._before(tmp_path, "clean", RECORD, None) == []
