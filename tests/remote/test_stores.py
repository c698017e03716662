"""On every kind of store, a pull of one model is complete or fails, and a killed push is completed by the next."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from stages.evaluating.runtimes import transformers
from tests.remote.conftest import Team, cached, files, flipped, hashed, name_of, succeed

DPO, Q8_0 = "models/dpo", "models/quantized/Q8_0"
WEIGHTS = f"{DPO}/model.safetensors"
PAGE = "reports/index.html"  # an output that is a file: dvc pushes those after the files of folders


def answers(model: Path, rows: list[dict]) -> list[str]:
    conversations = [{"messages": [{"role": "user", "content": row["prompt"]}], "tools": []} for row in rows]
    settings = {"max_new_tokens": 8, "batch_size": 8, "device": "cpu", "dtype": "float32"}
    found = transformers.generate(model, conversations, **settings, checkpoint=Path(os.devnull))
    return [answer.text for answer in found]


def test_a_fresh_clone_pulls_one_model_and_it_answers(team: Team) -> None:
    clone = team.fresh_clone()
    succeed(clone, "dvc", "pull", DPO)

    assert files(clone.path / DPO) == files(team.project.path / DPO)
    own = {name_of(path) for path in (clone.path / DPO).iterdir()}
    [listing] = cached(clone) - own
    assert listing.endswith(".dir") and cached(clone) == own | {listing}, "only this model's objects came"
    assert [path.name for path in (clone.path / "models").iterdir()] == ["dpo"]
    rows = [json.loads(line) for line in team.project.read("reports/evaluate/dpo-chat.jsonl").splitlines()][:8]
    assert answers(clone.path / DPO, rows) == [row["answer"] for row in rows]
    assert succeed(clone, "dvc", "data", "status", DPO).strip() == "No changes."


def test_corrupted_objects_fail_the_pull_until_they_are_mended(team: Team) -> None:
    [gguf_file] = (team.project.path / Q8_0).glob("*.gguf")
    weights, gguf = name_of(team.project.path / WEIGHTS), name_of(gguf_file)
    clone = team.fresh_clone()
    bad = {weights: flipped(team.store.read(weights)), gguf: team.store.read(gguf)[:1000]}
    with team.spoilt(weights, bad[weights]), team.spoilt(gguf, bad[gguf]):
        code, output = clone.run("dvc", "pull", "-v", DPO, Q8_0)

        assert code == 1
        assert {DPO, Q8_0} < set(output.partition("Checkout failed for following targets:\n")[2].splitlines())
        for name in bad:
            assert f"corrupted cache file '{clone.path}/.dvc/cache/{name}'" in output
        assert files(clone.path / "models") == {}, "nothing of a model that is not whole"
        assert not bad.keys() & cached(clone)

        succeed(team.project, "dvc", "push")
        assert {name: team.store.read(name) for name in bad} == bad, "a push mends nothing"
        for name in bad:  # a copy from a cache that is whole does, as docs/remotes.md says
            team.store.write(name, (team.project.path / ".dvc/cache" / name).read_bytes())
        succeed(clone, "dvc", "pull", DPO, Q8_0)
        for model in (DPO, Q8_0):
            assert files(clone.path / model) == files(team.project.path / model)


def wait_until_still(look: Callable[[], object], timeout_s: float = 60) -> None:
    """Waits until `look` returns something that stays the same for a second."""
    end, before = time.monotonic() + timeout_s, None
    while not (now := look()) or now != before:
        assert time.monotonic() < end
        before = now
        time.sleep(1)


def kill_push(team: Team) -> None:
    """Starts a push to an empty store, one object at a time, and kills it when some objects have arrived.

    It is not killed in the microseconds in which DVC tries to clone a file to the object's own name: docs/remotes.md.
    """
    stuck = team.project.path / ".dvc/cache" / name_of(team.project.path / PAGE)
    aside = stuck.with_suffix(".aside")
    if team.store.wire:
        team.store.wire.hold(after_bytes=1_200_000)  # more than any object, less than all
    else:  # one of the last objects is a pipe that nobody writes to
        stuck.rename(aside)
        os.mkfifo(stuck, 0o444)
    push = team.project.start("dvc", "push", "-j", "1")
    try:
        if team.store.wire:
            assert team.store.wire.held.wait(timeout=60)
        else:
            wait_until_still(team.complete)
        assert push.poll() is None, push.communicate()
    finally:
        os.killpg(push.pid, signal.SIGKILL)
        push.communicate()
        if team.store.wire:
            team.store.wire.release()
        else:
            aside.replace(stuck)


def test_a_push_that_is_killed_in_the_middle_is_completed_by_the_next(team: Team) -> None:
    whole = team.store.names()
    for name in whole:
        team.store.delete(name)
    kill_push(team)

    arrived = team.complete()
    assert arrived and arrived < whole, "killed in the middle"
    assert {hashed(team.store.read(name)) for name in arrived} == {name.removesuffix(".dir") for name in arrived}
    clone = team.fresh_clone()
    code, output = clone.run("dvc", "pull")
    assert code != 0 and "ERROR: failed to pull data from the cloud" in output
    cached(clone)

    succeed(team.project, "dvc", "push")
    assert team.complete() == whole
    succeed(clone, "dvc", "pull")
    assert files(clone.path / "models") == files(team.project.path / "models")
