"""Damage that DVC does not notice, and the remedies of docs/remotes.md. A failure may mean that DVC was mended."""

import shutil

import pytest

from tests.remote.conftest import Team, cached, files, flipped, name_of, object_name, succeed
from tests.remote.stores import trust
from tests.remote.test_stores import DPO, WEIGHTS

on_a_folder = pytest.mark.parametrize("team", ["folder"], indirect=True, scope="module")


def listing_of(team: Team, out: str) -> str:
    """The name of the object with the listing of an output folder."""
    entry = team.project.read("dvc.lock").split(f"- path: {out}\n")[1]
    return object_name(entry.split("md5: ")[1].split()[0])


@on_a_folder
@pytest.mark.parametrize("other", ["another name", pytest.param("another file", marks=pytest.mark.slow)])
def test_a_wrong_listing_of_files_shows_in_data_status(team: Team, other: str) -> None:
    name = listing_of(team, DPO)
    good = team.store.read(name)
    weights, tokenizer = (name_of(team.project.path / DPO / f) for f in ("model.safetensors", "tokenizer.json"))
    md5, wrong = (n.removeprefix("files/md5/").replace("/", "").encode() for n in (weights, tokenizer))
    bad = good.replace(b"model.saf", b"modem.saf") if other == "another name" else good.replace(md5, wrong)
    clone = team.fresh_clone()
    with team.spoilt(name, bad):
        succeed(clone, "dvc", "pull", DPO)
        assert files(clone.path / DPO) != files(team.project.path / DPO), "dvc pull accepted it"
        assert f"modified: {DPO}/" in succeed(clone, "dvc", "data", "status", DPO)
        assert name not in cached(clone)

    shutil.rmtree(clone.path / DPO)
    clone.run("dvc", "pull", DPO)  # may fail: it asks for the files of the wrong list once more
    succeed(clone, "dvc", "pull", DPO)
    assert files(clone.path / DPO) == files(team.project.path / DPO)


@on_a_folder
@pytest.mark.slow
def test_a_deleted_object_is_not_pushed_again(team: Team) -> None:
    name = name_of(team.project.path / WEIGHTS)
    clone = team.fresh_clone()
    with team.spoilt(name, None):
        assert "Everything is up to date." in succeed(team.project, "dvc", "push")
        assert name not in team.store.names()
        code, output = clone.run("dvc", "pull", DPO)
        assert code != 0 and name.removeprefix("files/md5/").replace("/", "") in output
        assert files(clone.path / "models") == {}


@on_a_folder
@pytest.mark.slow
def test_get_and_import_are_right_from_a_clone_that_pulled(team: Team) -> None:
    pulled, unpulled, user = team.fresh_clone(), team.fresh_clone(), team.fresh_clone()
    succeed(pulled, "dvc", "pull", DPO)
    name = name_of(team.project.path / WEIGHTS)
    with team.spoilt(name, flipped(team.store.read(name))):
        succeed(user, "dvc", "get", str(unpulled.path), DPO, "-o", "unchecked")
        assert files(user.path / "unchecked") != files(team.project.path / DPO), "dvc get accepted it"
        succeed(user, "dvc", "get", str(pulled.path), DPO, "-o", "got")
        succeed(user, "dvc", "import", str(pulled.path), DPO, "-o", "imported")

    assert files(user.path / "got") == files(user.path / "imported") == files(team.project.path / DPO)
    md5 = listing_of(team, DPO).removeprefix("files/md5/").replace("/", "")
    assert f"md5: {md5}\n" in user.read("imported.dvc")


@pytest.mark.parametrize("team", [pytest.param("ssh", marks=pytest.mark.slow)], indirect=True, scope="module")
def test_a_server_with_another_key_is_refused_by_openssh_alone(team: Team) -> None:
    path = team.project.path.parent / "ssh"
    clone = team.fresh_clone()
    trust(path, "impostor")
    try:
        code, _ = clone.run("dvc", "pull", DPO)
        assert code != 0 and not cached(clone)
        url = f"ssh://unchecked{path}/remote"
        succeed(clone, "dvc", "remote", "modify", "--local", "store", "url", url)
        succeed(clone, "dvc", "pull", DPO)  # DVC's own client takes any key
    finally:
        trust(path, "host")
