"""A pulled release has the bytes that were released, whatever happened on the way, and costs no more than they do."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modelmake import artifacts
from modelmake.errors import UserError
from modelmake.releasing import pulling
from tests.modelmake.releasing import web
from tests.modelmake.releasing.conftest import Clone, Team, contents_of, make_team

ROOT = Path(__file__).parents[3]
ONE = {"m.safetensors": b"one" * 50, "config.json": b"{}", "deep/tokenizer.json": b"words"}
TWO = {"m.safetensors": b"two" * 50, "config.json": b"{}", "new.json": b"[]"}


def pull(team: Team, release: str = "model@prod", folder: str = "here", source: str = "") -> str:
    """What a pull printed."""
    (line,) = pulling.pull(release, source or str(team.url), team.folder, folder)
    return line


def refused(team: Team, *arguments: str, **named: str) -> str:
    with pytest.raises(UserError) as error:
        pull(team, *arguments, **named)
    return str(error.value)


@pytest.fixture
def released(team: Team) -> Team:
    """v1.0.0 in staging, v2.0.0 in prod."""
    team.ada.build(ONE)
    team.ada.promote("v1.0.0", "staging")
    team.ada.build(TWO)
    team.ada.promote("v2.0.0")
    return team


def test_the_folder_has_the_released_files_and_no_other(released: Team) -> None:
    line = pull(released)
    assert contents_of(released.folder / "here") == TWO
    assert line.startswith(f"model v2.0.0 (prod), commit {released.ada.git('rev-parse', 'HEAD')[:10]}: ")
    assert ": 3 files, each with the MD5 that dvc.lock leads to; " in line
    pull(released, "model@v1.0.0", "old")
    assert contents_of(released.folder / "old") == ONE
    pull(released, "model@staging", "stage")
    assert contents_of(released.folder / "stage") == ONE


@pytest.mark.parametrize("address", ["{0}", "file://{0}", "project.git", "ada"])
def test_any_address_that_git_takes_will_do(released: Team, address: str) -> None:
    """`dvc artifacts get` fails with a file:// URL."""
    pull(released, source=address.format(released.url))
    assert contents_of(released.folder / "here") == TWO


def test_promote_break_roll_back_pull_gives_the_old_bytes_again(released: Team) -> None:
    released.ada.promote("v1.0.0")
    pull(released)
    assert contents_of(released.folder / "here") == ONE
    broken = {"m.safetensors": b"broken", "config.json": b"{}"}
    released.ada.build(broken)
    released.ada.promote("v3.0.0")
    pull(released)
    assert contents_of(released.folder / "here") == broken

    released.ada.rollback()
    pull(released)
    assert contents_of(released.folder / "here") == ONE


def test_a_second_pull_moves_nothing_and_reads_every_byte_again(released: Team) -> None:
    pull(released)
    shutil.rmtree(released.ada.store)

    assert pull(released).endswith("has it, rehashed: 3 files; nothing was moved")
    (released.folder / "here/config.json").write_bytes(b"[]")
    assert "no such object" in refused(released)


def test_only_what_differs_is_moved(released: Team) -> None:
    pull(released, "model@staging")
    line = pull(released, "model@prod")

    listing = artifacts.listing({name: hashlib.md5(content).hexdigest() for name, content in TWO.items()})
    assert line.endswith(f"{len(TWO['m.safetensors']) + len(TWO['new.json']) + len(listing):,} bytes of objects moved")
    assert contents_of(released.folder / "here") == TWO
    assert not (released.folder / "here/deep").exists()


def test_a_folder_with_other_files_is_left_alone(released: Team) -> None:
    here = released.folder / "here"
    here.mkdir()
    (here / "thesis.tex").write_text("years of work")
    assert f"{here}: has thesis.tex, which no pull put there" in refused(released)
    (here / "thesis.tex").unlink()
    pull(released)
    (here / "config.json").write_text("edited")
    assert f"{here}: has config.json, which no pull put there, or which changed since" in refused(
        released, "model@staging"
    )
    assert (here / "config.json").read_text() == "edited"


def test_a_corrupt_object_is_told_and_nothing_is_put_in_place(released: Team) -> None:
    weights = released.ada.object(hashlib.md5(TWO["m.safetensors"]).hexdigest())
    weights.write_bytes(b"tw0" * 50)

    assert "other bytes than its name says" in refused(released)
    assert not (released.folder / "here").exists()
    weights.write_bytes(TWO["m.safetensors"])
    pull(released)
    assert contents_of(released.folder / "here") == TWO


def test_a_list_of_files_that_leads_out_of_the_folder_is_refused(team: Team) -> None:
    team.ada.build(ONE)
    md5 = team.ada.stored(b"#!/bin/sh")
    listing = json.dumps([{"md5": md5, "relpath": "../../.profile"}]).encode()
    entry = team.ada.locked()
    entry["train"]["outs"][0]["md5"] = team.ada.stored(listing, ".dir")
    team.ada.lock(entry)
    team.ada.commit()
    team.ada.git("tag", "-am", "gto asks nothing", "model@v1.0.0")
    team.ada.git("push", "-q", "origin", "model@v1.0.0")

    assert "'../../.profile': leads out of its folder" in refused(team, "model@v1.0.0")
    assert not (team.folder / "here").exists() and not (team.folder / ".profile").exists()


def test_what_is_withdrawn_is_not_delivered_in_silence(released: Team) -> None:
    released.ada.git("tag", "-am", "bad", "model@v2.0.0!")
    released.ada.git("push", "-q", "origin", "model@v2.0.0!")

    assert "prod holds v2.0.0, which is withdrawn: want a rollback there" in refused(released)
    pull(released, "model@v2.0.0")
    assert contents_of(released.folder / "here") == TWO
    released.ada.promote("v1.0.0")
    assert "v1.0.0 (prod)" in pull(released)


@pytest.mark.parametrize(
    ("release", "said"),
    [
        ("model@beta", "model has no beta: want one of staging, prod, v1.0.0, v2.0.0"),
        ("other@prod", "no tag other@v…: want a name that was released"),
        ("model", "'model': want NAME@STAGE or NAME@VERSION"),
        ("--upload-pack=x@prod", "want NAME@STAGE"),
    ],
)
def test_what_is_not_there_is_told(released: Team, release: str, said: str) -> None:
    assert said in refused(released, release)


def test_a_relative_store_of_a_repository_elsewhere_is_told(tmp_path: Path) -> None:
    team = make_team(tmp_path)
    team.ada.build(ONE)
    team.ada.promote("v1.0.0")
    with web.serving(tmp_path) as server:
        said = refused(team, source=f"{server.url}/project.git")
    assert "url = ../../store: a folder beside a clone: want a store that can be reached from here" in said


def random_files(seed: int, size: int, names: int = 1) -> dict[str, bytes]:
    return {f"part{n}.safetensors": random.Random(f"{seed} {n}").randbytes(size) for n in range(names)}


def test_from_a_project_of_50_builds_no_more_is_moved_than_the_release(tmp_path: Path) -> None:
    with web.serving(tmp_path) as server:
        team = make_team(tmp_path, f"{server.url}/store")
        for n in range(50):
            team.ada.build(random_files(n, 200_000, names=2), push=False)
            team.ada.git("tag", "-am", "a build", f"model@v{n}.0.0")
        team.ada.git("push", "-q", "origin", "HEAD:main", "--tags")
        team.ada.promote("v7.0.0")
        server.git_bytes = server.file_bytes = 0
        pull(team, source=f"{server.url}/project.git")

        assert contents_of(tmp_path / "here") == random_files(7, 200_000, names=2)
        assert 400_000 < server.bytes <= 1.05 * 400_000, (server.git_bytes, server.file_bytes)
        server.git_bytes = server.file_bytes = 0
        assert pull(team, source=f"{server.url}/project.git").endswith("nothing was moved")
        assert server.file_bytes == 0 and server.git_bytes < 10_000, "the names of tags alone"


def test_a_pull_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    size = 16_000_000
    with web.serving(tmp_path) as server:
        team = make_team(tmp_path, f"{server.url}/store")
        team.ada.build(random_files(0, size))
        team.ada.promote("v1.0.0")
        server.file_bytes, server.limit = 0, 13_000_000
        command = ["-m", "stages.commands.cli", "release", "pull", "model@prod", "here", "--from", str(team.url)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([sys.executable, *command], cwd=tmp_path, env=environment)
        assert server.stalled.wait(60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "here").exists()
        server.limit = float("inf")
        server.go.set()
        partial = sum(path.stat().st_size for path in (tmp_path / ".here.pull/objects").glob("*.partial"))
        assert partial > 0
        server.file_bytes = 0
        pull(team)

        assert contents_of(tmp_path / "here") == random_files(0, size)
        assert server.file_bytes < size - partial / 2, "what had come is not asked for again"


def test_what_a_killed_pull_left_is_not_believed(released: Team) -> None:
    md5 = hashlib.md5(TWO["m.safetensors"]).hexdigest()
    objects = released.folder / ".here.pull/objects"
    objects.mkdir(parents=True)
    (objects / f"{md5}.partial").write_bytes(b"tw0" * 20)  # a disk that lost power
    (objects / hashlib.md5(b"{}").hexdigest()).write_bytes(b"[]")  # whole, by its name
    pull(released)
    assert contents_of(released.folder / "here") == TWO

    objects.mkdir()
    (objects / md5).write_bytes(b"tw0" * 50)  # of a file that the folder has
    pull(released, "model@staging")
    objects.mkdir()
    (objects / hashlib.md5(b"{}").hexdigest()).write_bytes(b"[]")
    pull(released)
    assert contents_of(released.folder / "here") == TWO


def test_a_replacement_that_was_killed_half_way_leaves_a_whole_release(released: Team) -> None:
    pull(released, "model@staging")
    here, work = released.folder / "here", released.folder / ".here.pull"
    os.rename(here, work / "old")  # killed between the two renames
    pull(released, "model@staging")
    assert contents_of(here) == ONE and not (work / "old").exists()


def test_two_files_of_the_same_bytes_are_two_files(team: Team) -> None:
    team.ada.build({"a.json": b"{}", "b.json": b"{}"})
    team.ada.promote("v1.0.0")
    pull(team)
    assert not os.path.samefile(team.folder / "here/a.json", team.folder / "here/b.json")


def test_an_artifact_that_is_one_file_is_a_folder_with_it(team: Team) -> None:
    graph = (team.ada.root / "dvc.yaml").read_text()
    (team.ada.root / "dvc.yaml").write_text(f"{graph}  words: {{path: models/m/deep/tokenizer.json}}\n")
    team.ada.build(ONE)
    team.ada.promote("words@v1.0.0")
    pull(team, "words@prod")
    assert contents_of(team.folder / "here") == {"tokenizer.json": b"words"}


def test_an_old_release_comes_from_where_the_store_is_now(released: Team) -> None:
    moved = released.folder / "elsewhere"
    released.ada.store.rename(moved)
    config = released.ada.root / ".dvc/config"
    config.write_text(config.read_text().replace("../../store", "../../elsewhere"))
    Clone(released.ada.root, moved).commit()

    pull(released, "model@v1.0.0")
    assert contents_of(released.folder / "here") == ONE
