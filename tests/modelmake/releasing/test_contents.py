"""Nothing that a lock or a list of files says is read as a path of an object."""

import json

import pytest

from tests.modelmake.releasing.conftest import Team
from tests.modelmake.releasing.test_pulling import ONE, refused


@pytest.mark.parametrize("name", ["../" * 9 + "notes.txt", "/notes.txt", "D" * 32, "", f"{'0' * 32}.dir"])
def test_an_object_is_named_by_its_hash_and_never_by_a_path(team: Team, name: str) -> None:
    team.ada.build(ONE)
    listing = json.dumps([{"md5": name, "relpath": "notes.txt"}]).encode()
    release(team, team.ada.stored(listing, ".dir"))
    said = f"models/m/notes.txt: md5: {name!r}: want 32 hexadecimal digits, as DVC has them; nothing was read"
    assert refused(team, "model@v1.0.0") == said

    if not name.endswith(".dir"):
        release(team, name, "v2.0.0")
        assert refused(team, "model@v2.0.0").startswith(f"dvc.lock: models/m: md5: {name!r}: want 32 hexadecimal")
    assert not (team.folder / "here").exists()


@pytest.mark.parametrize("listing", [b"{", b"[1]", b'[{"relpath": "a"}]', b"3"])
def test_a_list_that_dvc_did_not_write_is_told(team: Team, listing: bytes) -> None:
    team.ada.build(ONE)
    release(team, team.ada.stored(listing, ".dir"))
    assert refused(team, "model@v1.0.0").startswith("models/m: its list of files: ")


def release(team: Team, md5: str, version: str = "v1.0.0") -> None:
    """A version whose dvc.lock records this hash of the model."""
    entry = team.ada.locked()
    entry["train"]["outs"][0]["md5"] = md5
    team.ada.lock(entry)
    team.ada.commit()
    team.ada.git("tag", "-am", "gto asks nothing", f"model@{version}")
    team.ada.git("push", "-q", "origin", f"model@{version}")
