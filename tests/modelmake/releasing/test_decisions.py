"""Promotions refuse with every reason, rollbacks give the version before, and of two who decide at once one wins."""

import pytest

from modelmake.errors import UserError
from modelmake.releasing import decisions, listing, registry
from tests.modelmake.releasing.conftest import JUDGED, Clone, Team

ONE, TWO = {"m.safetensors": b"one" * 50, "config.json": b"{}"}, {"m.safetensors": b"two" * 50, "config.json": b"{}"}


def refused(clone: Clone, version: str, stage: str = "prod") -> list[str]:
    """The reasons why a version is not promoted."""
    before = clone.tags()
    with pytest.raises(UserError) as error:
        clone.promote(version, stage)
    assert clone.tags() == before
    head, *reasons = str(error.value).splitlines()
    assert head == f"model {version} is not promoted to {stage}:"
    return reasons


def test_a_version_is_registered_at_head_and_put_into_a_stage(team: Team) -> None:
    commit = team.ada.build(ONE)
    lines = team.ada.promote("v1.0.0", "staging")

    assert team.ada.tags() == ["model#staging#1", "model@v1.0.0"]
    assert team.ada.artifact().current("staging").tag.commit == commit
    assert lines == [
        "gates: ALLOW",
        "provenance: dvc.lock has the chain from the data to models/m; of 1 stages this machine has no record of a run",
        "remote store: 2 objects, 0.0 MB, rehashed there",
        f"model v1.0.0: registered at {commit[:10]}",
        "model v1.0.0: in staging; told origin",
    ]


def test_a_registered_version_is_checked_and_promoted_at_its_own_commit(team: Team) -> None:
    commit = team.ada.build(ONE)
    team.ada.promote("v1.0.0", "staging")
    team.ada.build(TWO, verdict="REJECT")

    assert team.ada.promote("v1.0.0", "prod")[-1] == "model v1.0.0: in prod; told origin"
    assert team.ada.artifact().current("prod").tag.commit == commit
    assert team.ada.tags() == ["model#prod#2", "model#staging#1", "model@v1.0.0"]


def test_every_reason_is_told_at_once_a_line_each(team: Team) -> None:
    team.ada.build(ONE, verdict="INCONCLUSIVE")
    entry = team.ada.locked()
    entry["train"]["deps"][0]["md5"] = "0" * 32
    team.ada.lock(entry)
    commit = team.ada.commit()
    weights, config = (team.ada.stored(ONE[name]) for name in ("m.safetensors", "config.json"))
    team.ada.object(weights).write_bytes(b"0ne" * 50)
    team.ada.object(config).unlink()
    (team.ada.root / "left.txt").touch()

    dirty, gates, provenance, corrupt, missing = refused(team.ada, "v1.0.0")
    assert dirty == "working tree: left.txt not committed: commit, or put them away (`git stash -u`)"
    assert gates == f"gates of {commit[:10]}: small: INCONCLUSIVE"
    assert provenance == (
        "no provenance: train: read another rows.txt than the commit has: run `dvc repro` and commit dvc.lock"
    )
    assert "m.safetensors): other bytes than its name says: run `modelmake verify" in corrupt
    assert missing == "remote store: lacks config.json: run `dvc push models/m`"


def test_a_list_of_files_that_is_missing_or_corrupt_is_a_reason(team: Team) -> None:
    team.ada.build(ONE)
    md5 = team.ada.locked()["train"]["outs"][0]["md5"]
    listing = team.ada.object(md5).read_bytes()
    team.ada.object(md5).write_bytes(b"[]")
    assert "other bytes than its name says" in refused(team.ada, "v1.0.0")[0]

    team.ada.object(md5).unlink()
    (missing,) = refused(team.ada, "v1.0.0")
    assert missing.startswith("remote store: lacks ") and "(the list of a folder): run `dvc push" in missing
    team.ada.object(md5).write_bytes(listing)
    team.ada.promote("v1.0.0")


def test_an_artifact_that_dvc_yaml_or_dvc_lock_does_not_have_is_refused(team: Team) -> None:
    commit = team.ada.build(ONE)
    with pytest.raises(UserError, match="artifacts: no other: want one of model"):
        team.ada.promote("other@v1.0.0")
    team.ada.lock({})
    team.ada.commit()
    assert "no record of models/m, the path of model: want a whole build" in refused(team.ada, "v1.0.0")[0]
    assert commit not in (team.ada.tags())


def test_a_project_without_a_remote_of_dvc_is_refused(team: Team) -> None:
    team.ada.build(ONE)
    (team.ada.root / ".dvc/config").write_text("[core]\n    analytics = false\n")
    team.ada.commit()
    assert refused(team.ada, "v1.0.0") == [
        "remote: none is configured: want the artifact on one; see docs/remotes.md"
    ]  # fmt: skip


def test_what_the_tags_forbid_is_refused(team: Team) -> None:
    team.ada.build(ONE)
    team.ada.promote("v1.0.0")
    assert "v1.0.0: in prod since" in refused(team.ada, "v1.0.0")[0]
    assert "v2.0.0: HEAD is v1.0.0 already" in refused(team.ada, "v2.0.0")[0]

    team.ada.git("tag", "-am", "bad", "model@v1.0.0!")
    assert refused(team.ada, "v1.0.0", "staging")[0].startswith("v1.0.0: withdrawn ")


@pytest.mark.parametrize("version", ["1.0.0", "v1.0", "v1.0.0; rm", "prod", "latest"])
def test_a_version_is_a_semantic_one(team: Team, version: str) -> None:
    with pytest.raises(UserError, match=r"no version: want v1\.2\.0"):
        team.ada.promote(version)


def test_promote_break_roll_back_gives_the_old_version_and_keeps_all_history(team: Team) -> None:
    team.ada.build(ONE)
    team.ada.promote("v1.0.0")
    team.ada.build(TWO, value=0.1)
    team.ada.promote("v2.0.0")
    before = {tag: team.ada.git("rev-parse", tag) for tag in team.ada.tags()}
    for found in team.ada.store.rglob("*"):  # the decision reads no object and no model
        if found.is_file():
            found.unlink()

    assert team.ada.rollback() == ["model v1.0.0: in prod, in place of v2.0.0; told origin"]
    assert team.ada.artifact().current("prod").version == "v1.0.0"
    after = {tag: team.ada.git("rev-parse", tag) for tag in team.ada.tags()}
    assert after.items() > before.items() and after.keys() - before.keys() == {"model#prod#3"}


def test_a_rollback_works_with_a_dirty_tree_and_sees_what_others_promoted(team: Team) -> None:
    team.ada.build(ONE)
    team.ada.promote("v1.0.0")
    ben = team.clone("ben")
    team.ada.build(TWO)
    team.ada.promote("v2.0.0")
    (ben.root / "rows.txt").write_text("edited\n")

    assert ben.rollback() == ["model v1.0.0: in prod, in place of v2.0.0; told origin"]
    with pytest.raises(UserError, match=r"no version to give back to prod: v1\.0\.0 is the first there"):
        ben.rollback()
    with pytest.raises(UserError, match="nothing was ever in staging: want a stage of prod"):
        ben.rollback("staging")


def test_of_two_who_promote_at_once_one_wins_and_the_other_is_told(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.ada.build(ONE)
    ben = team.clone("ben")
    ben.build(TWO, push=False)
    make = registry.make

    def after_ada(*arguments: object, **named: object) -> None:
        monkeypatch.setattr(registry, "make", make)  # Ada decides while Ben's objects are rehashed
        team.ada.promote("v1.0.0")
        make(*arguments, **named)

    monkeypatch.setattr(registry, "make", after_ada)
    with pytest.raises(UserError) as error:
        ben.promote("v2.0.0")
    assert str(error.value).startswith("model: Ada <ada@example.org> was first, with model#prod#1 at ")
    assert "prod has v1.0.0 now; nothing of yours was done" in str(error.value)
    assert ben.tags() == team.ada.tags() == ["model#prod#1", "model@v1.0.0"]
    assert ben.promote("v2.0.0")[-1] == "model v2.0.0: in prod, in place of v1.0.0; told origin"


def test_a_version_that_only_this_clone_knows_is_shared_with_its_stage(team: Team) -> None:
    """`gto register` pushes nothing; the tag of a stage alone would name a version that others lack."""
    team.ada.build(ONE)
    team.ada.git("tag", "-am", "registered here", "model@v1.0.0")
    team.ada.promote("v1.0.0")
    team.ada.build(TWO)
    team.ada.promote("v2.0.0")
    ben = team.clone("ben")
    assert ben.artifact().current("prod").version == "v2.0.0"
    assert ben.git("rev-parse", "model@v1.0.0") == team.ada.git("rev-parse", "model@v1.0.0"), (
        "the object, tagger and all"
    )

    team.ada.git("push", "-q", "--delete", "origin", "model@v1.0.0")
    team.ada.rollback()
    assert team.clone("eve").artifact().current("prod").version == "v1.0.0"


def test_without_a_remote_the_tags_are_in_this_clone(team: Team) -> None:
    team.ada.git("remote", "remove", "origin")
    team.ada.build(ONE, push=False)
    assert team.ada.promote("v1.0.0")[-1] == (
        "model v1.0.0: in prod; in this clone alone: the repository has no remote"
    )  # fmt: skip


def test_the_artifact_is_named_where_there_are_several(team: Team) -> None:
    graph = (team.ada.root / "dvc.yaml").read_text()
    (team.ada.root / "dvc.yaml").write_text(f"{graph}  weights: {{path: models/m/m.safetensors}}\n")
    team.ada.build(ONE)
    with pytest.raises(UserError, match=r"of which artifact\? want model@v1\.0\.0, weights@v1\.0\.0"):
        team.ada.promote("v1.0.0")

    assert "remote store: 1 objects" in "\n".join(team.ada.promote("weights@v1.0.0"))
    assert team.ada.promote("model@v1.0.0")[-1] == "model v1.0.0: in prod; told origin"


def test_the_list_shows_what_is_where_with_figures_and_what_is_odd(team: Team) -> None:
    first = team.ada.build(ONE, value=0.91)
    team.ada.promote("v1.0.0")
    second = team.ada.build(TWO, value=0.5)
    team.ada.promote("v2.0.0")
    team.ada.git("tag", "-am", "bad", "model@v2.0.0!", second)
    team.ada.git("tag", "-am", "gto registers any name", "absent@v1.0.0")

    facts = listing.facts(team.ada.root, JUDGED)
    model = facts["model"]
    prod = model["stages"]["prod"]
    assert (prod["now"]["version"], prod["rollback_gives"]) == ("v2.0.0", "v1.0.0")
    assert model["versions"]["v1.0.0"]["figures"] == {"exact_match": 0.91}
    assert facts["absent"]["notes"] == [f"v1.0.0: dvc.yaml of {second[:10]} has no artifact absent"]
    text = "\n".join(listing.text(listing.facts(team.ada.root, JUDGED, "model")))
    assert "absent" not in text
    assert f"v1.0.0   {first[:10]}" in text and "exact_match 0.91" in text
    assert "note: prod: holds v2.0.0, which is withdrawn: roll back, or promote another" in text
    assert listing.text({}) == ["no release yet: `modelmake release promote v1.0.0 staging` makes the first"]


def test_an_artifact_of_a_project_in_a_folder_has_the_folder_in_its_tags(team: Team) -> None:
    inner = Clone(team.ada.root / "sub", team.ada.store)
    for name in ("dvc.yaml", "params.yaml", "rows.txt", ".gitignore", ".dvc/config", ".dvc/.gitignore"):
        (inner.root / name).parent.mkdir(parents=True, exist_ok=True)
        (inner.root / name).write_bytes((team.ada.root / name).read_bytes())
    (inner.root / ".dvc/config").write_text(f"[core]\n    remote = s\n['remote \"s\"']\n    url = {team.ada.store}\n")
    inner.build(ONE)

    assert decisions.promote(inner.root, JUDGED, "v1.0.0", "prod")[-1] == "sub:model v1.0.0: in prod; told origin"
    assert team.ada.tags() == ["sub=model#prod#1", "sub=model@v1.0.0"]
    assert [*listing.facts(inner.root, JUDGED, "model")] == ["sub:model"]
    assert decisions.promote(inner.root, JUDGED, "sub:model@v1.0.0", "staging")[-1].startswith("sub:model v1.0.0: in s")
    before = team.ada.tags()
    for root, words in ((inner.root, "b:model@v1.0.0"), (team.ada.root, "sub:model@v1.0.0")):
        named = words.partition(":")[0]
        with pytest.raises(
            UserError, match=f"of the project in {named}/: want one of this project; run it in {named}/"
        ):
            decisions.promote(root, JUDGED, words, "prod")
    with pytest.raises(UserError, match="run it in b/"):
        decisions.rollback(inner.root, "b:model@prod")
    assert team.ada.tags() == before


def test_a_dvc_yaml_that_is_no_yaml_is_named_with_its_commit(team: Team) -> None:
    team.ada.build(ONE)
    team.ada.git("tag", "-am", "registered", "model@v1.0.0")
    (team.ada.root / "dvc.yaml").write_text("artifacts: [\n")
    commit = team.ada.commit()
    with pytest.raises(UserError, match=f"{commit[:10]}: dvc.yaml: not valid YAML: "):
        decisions.promote(team.ada.root, JUDGED, "model@v2.0.0", "prod")
