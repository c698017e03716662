"""Inputs are linked to the stage that made these very bytes, in this build or an older one."""

from tests.made_up_history import MadeUpProject
from tests.modelmake.tracing.kettle_build import MODELS, build, consumed


def test_a_stage_whose_input_was_made_anew_is_traced_to_the_build_that_it_used(project: MadeUpProject) -> None:
    """As after `dvc repro train@sft`: merge@sft still merges the adapter of the first build."""
    first = MadeUpProject(project.root.parent / "same")
    build(first, [["b", "a2"], ["a2", "f"]])
    project.stages["merge@sft"] = first.stages["merge@sft"]
    project.commit("Half a build")

    report = project.json("models/sft")

    assert [row["id"] for row in report["consumed"][0]["rows"]] == ["b", "a2", "a2", "f"]
    built = {stage["stage"]: stage["build"] for stage in report["stages"]}
    assert built["train@sft"][0]["subject"] == "First"
    assert built["merge@sft"] is None
    assert consumed(project.json("--row", "e")) == [
        ("Half a build", ["models/trained/sft"], ["e"]), ("Second", MODELS, ["e"]),
    ]  # fmt: skip
    assert consumed(project.json("--row", "f")) == [
        ("Half a build", ["models/sft"], ["f"]), ("First", MODELS, ["f"]),
    ]  # fmt: skip


def test_a_model_made_from_bytes_that_no_build_has_is_not_known(project: MadeUpProject) -> None:
    project.stages["merge@sft"]["deps"][1]["md5"] = "9" * 32 + ".dir"
    project.commit("Of another adapter")

    (unknown,) = project.json("--row", "e")["unknown"]

    why = "train@sft of this build made another models/trained/sft, and no other build has this one"
    assert (unknown["stage"], unknown["unread"]) == ("merge@sft", [f"models/trained/sft ({why})"])
    assert f"models/trained/sft: {why}" in project.trace("models/sft")[1]


def test_a_folder_whose_listing_is_not_in_the_cache_is_linked_by_its_path(project: MadeUpProject) -> None:
    splits = project.stages["split"]["outs"][0]["md5"]
    project.cached(splits).unlink()

    report = project.json("models/sft")

    (train,) = [stage for stage in report["stages"] if stage["stage"] == "train@sft"]
    links = {link["path"]: (link["from"], link["unsure"]) for link in train["inputs"]}
    assert links["data/splits/train/chat.jsonl"] == (
        ["split"], "by its path: the list of data/splits is not in the cache",
    )  # fmt: skip
