"""The status of each stage after an edit, as `dvc repro` would decide."""

import hashlib
import json
import shutil
from pathlib import Path

from modelmake import identity
from modelmake.dvc import reproduction
from modelmake.planning import plan
from modelmake.planning.forecast import Status
from modelmake.running import state_dir
from tests import made_up_graph as graph
from tests.made_up_graph import Plan, cached, edit

WILL_RUN, MAY_RUN, RESTORE = Status.WILL_RUN, Status.MAY_RUN, Status.RESTORE


def test_a_file_that_was_touched_is_fresh(root: Path) -> None:
    (root / "raw/rows.txt").touch()

    assert Plan(root).statuses == {}


def test_a_comment_costs_preflight_alone(root: Path) -> None:
    edit(root, "params.yaml", "split:", "# rows\nsplit:")

    assert Plan(root).statuses == {"preflight": WILL_RUN}


def test_an_output_that_is_gone_or_edited_comes_from_the_cache(root: Path) -> None:
    (root / "cleaned.txt").unlink()
    (root / "page.txt").unlink()
    (root / "page.txt").write_text("edited")

    planned = Plan(root)

    assert planned.statuses == {"clean": Status.CHECKOUT, "page": Status.CHECKOUT}
    assert planned.reasons["clean"] == ["output cleaned.txt deleted"]
    assert planned.reasons["page"] == ["output page.txt modified"]


def test_an_output_that_the_cache_lost_is_made_again(root: Path) -> None:
    cached(root, "page.txt").unlink()

    planned = Plan(root)

    assert planned.statuses == {"page": WILL_RUN}
    assert planned.reasons["page"] == ["output page.txt not in the cache"]


def test_an_output_whose_object_is_corrupt_is_made_again_and_the_object_left(root: Path) -> None:
    object_ = cached(root, "page.txt")
    object_.chmod(0o644)
    object_.write_text("corrupt")

    assert Plan(root).statuses == {"page": WILL_RUN}
    assert object_.read_text() == "corrupt"


def test_an_output_that_no_cache_holds_is_made_again(root: Path) -> None:
    (root / "all.txt").unlink()

    assert Plan(root).statuses == {"gather": WILL_RUN, "page": MAY_RUN}


def test_an_earlier_build_is_restored_and_the_inputs_that_it_gives_are_known(root: Path) -> None:
    edit(root, "params.yaml", "rows: 3", "rows: 2")
    graph.repro(root)
    edit(root, "params.yaml", "rows: 2", "rows: 3")

    planned = Plan(root)

    assert planned.statuses == {
        "preflight": WILL_RUN, "split": RESTORE, "train@up": RESTORE, "train@down": RESTORE, "gather": WILL_RUN,
        "page": MAY_RUN,
    }  # fmt: skip
    assert planned.reasons["train@up"] == ["file split/train.txt"]
    assert planned.reasons["gather"] == ["file models/down.txt", "file models/up.txt"]


def test_a_stage_that_a_restored_one_feeds_as_before_is_fresh(root: Path) -> None:
    edit(root, "raw/rows.txt", "9 noise", "8 noise")  # clean drops it
    graph.repro(root)
    edit(root, "raw/rows.txt", "8 noise", "9 noise")

    assert Plan(root).statuses == {"clean": RESTORE}


def test_a_stage_that_the_run_cache_may_have_may_run(root: Path) -> None:
    """train@up has a changed parameter, so it runs, unless split gives what it once gave with that parameter."""
    edit(root, "params.yaml", "flag: -n", "flag: -u")
    graph.repro(root)
    edit(root, "params.yaml", "flag: -u", "flag: -n")
    edit(root, "raw/rows.txt", "1 d", "1 d\n7 f")  # below the rows that split takes

    planned = Plan(root)

    assert planned.statuses == {
        "preflight": WILL_RUN, "clean": WILL_RUN, "split": MAY_RUN, "train@up": MAY_RUN, "train@down": MAY_RUN,
        "gather": MAY_RUN, "page": MAY_RUN,
    }  # fmt: skip
    assert graph.wrong_forecasts(planned.steps, output := graph.repro(root)) == []
    assert graph.outcomes(output)["train@up"] == "restored"


def test_an_item_added_is_not_in_the_lock_and_one_removed_is_no_more(root: Path) -> None:
    edit(root, "params.yaml", "  down: {flag: -r}", "  side: {flag: -u}")

    steps = {step.stage: step for step in plan.plan(root)}

    assert steps["train@side"].status == WILL_RUN
    assert steps["train@side"].reasons == ["not in dvc.lock yet"]
    assert "train@down" not in steps
    assert steps["gather"].status == MAY_RUN


def test_a_stage_that_always_runs_and_one_that_is_frozen(root: Path) -> None:
    edit(root, "dvc.yaml", "  page:\n", "  page:\n    always_changed: true\n")
    edit(root, "dvc.yaml", "  split:\n", "  split:\n    frozen: true\n")
    edit(root, "raw/rows.txt", "4 c", "7 c")

    planned = Plan(root)

    assert planned.statuses == {"clean": WILL_RUN, "page": WILL_RUN}
    assert planned.reasons["page"] == ["runs every time"]


def test_data_under_dvc_add_are_recorded_as_they_are(root: Path) -> None:
    graph.add_data(root)
    assert "raw.dvc" not in {step.stage for step in plan.plan(root)}
    edit(root, "raw/rows.txt", "4 c", "7 c")

    planned = Plan(root)

    assert planned.statuses["raw.dvc"] == Status.RECORD
    assert planned.reasons["clean"] == ["file raw/rows.txt"]


def test_a_stage_whose_input_is_missing_and_made_by_no_stage_cannot_run(root: Path) -> None:
    shutil.rmtree(root / "raw")

    planned = Plan(root)

    assert planned.statuses["clean"] == Status.CANNOT_RUN
    assert planned.reasons["clean"] == ["raw is missing"]


def entry_identity(root: Path, stage: str, *inputs: str) -> str:
    """The identity of a stage with these files and its present parameters and command."""
    md5s = {path: {"": hashlib.md5((root / path).read_bytes()).hexdigest()} for path in inputs}
    with reproduction.reading(root) as records:
        return identity.of_lock(records.entry(stage, md5s))


def test_finished_work_is_published_and_stages_after_it_know_its_outputs(root: Path) -> None:
    edit(root, "dvc.yaml", "cat all.txt count.txt > page.txt", "cat all.txt count.txt > page.txt; true")
    assert Plan(root).statuses == {"page": WILL_RUN}
    work = state_dir.folder(root) / "finished/page" / entry_identity(root, "page", "all.txt", "count.txt")
    work.mkdir(parents=True)
    (work / "0").write_text("made")
    made = hashlib.md5(b"made").hexdigest()

    assert Plan(root).statuses == {"page": WILL_RUN}, "without its manifest it is not whole"
    (work / "manifest.json").write_text(json.dumps({"line": "", "outs": {"page.txt": made}}))
    assert Plan(root).statuses == {"page": RESTORE}
    assert Plan(root).reasons["page"][-1] == "finished before: its outputs are kept and will be published"
    (work / "0").write_text("corrupt")
    assert Plan(root).statuses == {"page": WILL_RUN}


def test_a_stage_that_has_a_checkpoint_resumes_from_it(root: Path) -> None:
    edit(root, "params.yaml", "flag: -n", "flag: -u")
    checkpoints = state_dir.folder(root) / "checkpoints/train@up"
    (checkpoints / "0123456789abcdef").mkdir(parents=True)
    resumes = "resumes from its checkpoint"
    assert resumes not in Plan(root).reasons["train@up"]

    folder = checkpoints / entry_identity(root, "train@up", "keys/train.up.json", "split/train.txt")
    folder.mkdir()
    assert resumes not in Plan(root).reasons["train@up"], "the folder is empty"

    (folder / "checkpoint-5").mkdir()

    assert Plan(root).reasons["train@up"][-1] == resumes
