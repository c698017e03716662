"""What gto and `dvc artifacts get` make of these tags: the same, but for what is withdrawn."""

import contextlib
from pathlib import Path
from typing import Any

import gto.api
import pytest
from gto.exceptions import GTOException

from modelmake.releasing import listing, registry
from tests.modelmake.releasing.conftest import JUDGED, Team, contents_of

ONE, TWO = {"m.safetensors": b"one" * 50}, {"m.safetensors": b"two" * 50}


@pytest.fixture
def rolled_back(team: Team) -> Team:
    """v1.0.0, v2.0.0 and v1.0.0 again in prod, decided within a second, long ago."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry.time, "time", lambda: 1_600_000_000.5)
        team.ada.build(ONE)
        team.ada.promote("v1.0.0")
        team.ada.build(TWO)
        team.ada.promote("v2.0.0")
        team.ada.rollback()
    return team


def in_prod(root: Path) -> list[Any]:
    """The versions that gto shows in prod."""
    return [found["version"] for found in gto.api.show(str(root), "model#prod")]


def got(team: Team, *arguments: str, url: str = "") -> dict[str, bytes]:
    """What `dvc artifacts get` brings."""
    from dvc.cli import main

    folder = team.folder / f"got{len(list(team.folder.glob('got*')))}"
    with contextlib.chdir(team.folder):
        assert main(["artifacts", "get", "-q", url or str(team.ada.root), "model", "-o", str(folder), *arguments]) == 0
    return contents_of(folder)


def test_gto_and_dvc_see_the_decision_at_once(rolled_back: Team) -> None:
    assert in_prod(rolled_back.ada.root) == ["v1.0.0"]
    assert [found["version"] for found in gto.api.show(str(rolled_back.ada.root), "model")] == ["v2.0.0", "v1.0.0"]
    assert got(rolled_back, "--stage", "prod") == ONE
    assert got(rolled_back, "--rev", "v2.0.0") == TWO


def test_ten_decisions_in_a_row_are_read_in_order(rolled_back: Team) -> None:
    for n in range(5):
        rolled_back.ada.promote("v2.0.0")
        assert in_prod(rolled_back.ada.root) == ["v2.0.0"], n
        rolled_back.ada.rollback()
        assert in_prod(rolled_back.ada.root) == ["v1.0.0"], n


def test_what_is_withdrawn_they_still_give_and_we_say_so(rolled_back: Team) -> None:
    rolled_back.ada.promote("v2.0.0")
    gto.api.deregister(str(rolled_back.ada.root), "model", version="v2.0.0")

    assert in_prod(rolled_back.ada.root) == ["v1.0.0"], "silently"
    assert got(rolled_back, "--stage", "prod") == got(rolled_back, "--rev", "v2.0.0") == TWO
    notes = listing.facts(rolled_back.ada.root, JUDGED)["model"]["notes"]
    assert "prod: holds v2.0.0, which is withdrawn: roll back, or promote another" in notes


def test_what_is_taken_out_of_a_stage_dvc_still_gives(rolled_back: Team) -> None:
    gto.api.unassign(str(rolled_back.ada.root), "model", stage="prod", version="v1.0.0")

    assert rolled_back.ada.artifact().current("prod") is None
    assert in_prod(rolled_back.ada.root) == ["v2.0.0"], "which was rolled back"
    assert got(rolled_back, "--stage", "prod") == ONE


def test_gto_refuses_a_rollback_and_registers_what_dvc_yaml_lacks(rolled_back: Team) -> None:
    rolled_back.ada.promote("v2.0.0")
    with pytest.raises(GTOException, match="--force"):
        gto.api.assign(str(rolled_back.ada.root), "model", stage="prod", version="v1.0.0")
    gto.api.register(str(rolled_back.ada.root), "absent", "HEAD")

    head = rolled_back.ada.git("rev-parse", "HEAD")[:10]
    notes = listing.facts(rolled_back.ada.root, JUDGED)["absent"]["notes"]
    assert notes == [f"v0.0.1: dvc.yaml of {head} has no artifact absent"]


def test_tags_of_gto_are_promoted_and_rolled_back(rolled_back: Team) -> None:
    gto.api.assign(str(rolled_back.ada.root), "model", stage="prod", version="v2.0.0", force=True)
    assert rolled_back.ada.artifact().current("prod").version == "v2.0.0"
    rolled_back.ada.rollback()
    assert in_prod(rolled_back.ada.root) == ["v1.0.0"]


def test_dvc_gets_nothing_by_a_file_url(rolled_back: Team) -> None:
    from dvc.cli import main

    url = f"file://{rolled_back.url}"
    with contextlib.chdir(rolled_back.folder):
        assert main(["artifacts", "get", "-q", url, "model", "-o", "nothing", "--stage", "prod"]) != 0
    assert not (rolled_back.folder / "nothing").exists()
