"""`modelmake verify --remote` reads every byte of a store of each kind, and mends what is bad there."""

import json
import sys

from tests.conftest import Project
from tests.remote.conftest import Team, flipped, name_of
from tests.remote.test_stores import DPO, WEIGHTS
from tests.remote.test_unchecked import listing_of

MODELMAKE = (sys.executable, "-m", "stages.commands.cli")


def verify(project: Project, *arguments: str) -> dict:
    code, output = project.run(*MODELMAKE, "verify", "--remote", "--json", *arguments)
    result = json.loads(output[output.index("\n{") if not output.startswith("{") else 0 :])
    assert code == bool(result["wrong"]), output
    return result


def test_flipped_truncated_empty_and_lost_objects_are_found_and_mended(team: Team) -> None:
    assert verify(team.project)["wrong"] == [], "as it was pushed"
    weights, tokenizer, config = (
        name_of(team.project.path / path) for path in (WEIGHTS, f"{DPO}/tokenizer.json", f"{DPO}/config.json")
    )
    page, listing = name_of(team.project.path / "reports/index.html"), listing_of(team, DPO)
    good = {name: team.store.read(name) for name in (weights, tokenizer, config, page, listing)}
    team.store.write(weights, flipped(good[weights]))
    team.store.write(tokenizer, good[tokenizer][:-1])
    team.store.write(config, b"")
    team.store.write(listing, flipped(good[listing]))
    team.store.delete(page)
    result = verify(team.project)

    kinds = {finding["wanted"]: finding["kind"] for finding in result["wrong"]}
    md5s = [name.removeprefix("files/md5/").replace("/", "") for name in (weights, tokenizer, config, listing, page)]
    assert kinds == dict(zip(md5s, ["corrupt", "truncated", "empty", "corrupt", "missing"], strict=True))
    assert {finding["place"] for finding in result["wrong"]} == {"store"}
    assert result["mend"] == ["modelmake verify --remote store --replace"]
    code, output = team.project.run(*MODELMAKE, "verify", "--remote", "--replace")
    assert code == 0, output
    assert {name: team.store.read(name) for name in good} == good
    assert verify(team.project)["wrong"] == []


def test_an_unknown_remote_is_one_line(team: Team) -> None:
    code, output = team.project.run(*MODELMAKE, "verify", "--remote", "nowhere")

    assert code == 1
    assert output.strip().splitlines()[-1].startswith("--remote nowhere: ") and "want one of store" in output
