"""A plan says what `dvc repro` does next, and why, in the words that the guide shows."""

import contextlib
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from modelmake import identity
from modelmake.dvc import reproduction
from modelmake.errors import UserError
from modelmake.planning import plan, resources
from modelmake.planning.forecast import CHECKOUT, FAIL, FRESH, MAY, RECORD, RESTORE, WILL
from modelmake.running import state_dir
from tests import made_up_graph as made_up


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new))


class Said:
    """A plan: {stage: status} of what is not fresh, and {stage: reasons}."""

    def __init__(self, root: Path) -> None:
        self.steps = plan.plan(root)
        self.statuses = {step.stage: step.status for step in self.steps if step.status != FRESH}
        self.why = {step.stage: step.reasons for step in self.steps}


def text(root: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """(exit code, lines) of the command."""
    with contextlib.chdir(root):
        code = plan.run(plan.argparse.Namespace(json=False))
    return code, capsys.readouterr().out.splitlines()


def cached(root: Path, path: str) -> Path:
    """The object in the cache of a file."""
    md5 = hashlib.md5((root / path).read_bytes()).hexdigest()
    return root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def test_nothing_edited_is_all_fresh(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert text(root, capsys) == (
        0,
        [
            "preflight   fresh            --",
            "clean       fresh            --",
            "split       fresh            --",
            "train@up    fresh            --",
            "train@down  fresh            --",
            "gather      fresh            --",
            "page        fresh            --",
            "7 fresh",
        ],
    )


def test_an_edit_is_told_with_its_reasons_times_and_sums(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for stage, seconds in {"split": 3, "train@up": 3725.4, "train@down": 61}.items():
        made_up.log(root, stage, seconds=seconds)
    made_up.log(root, "split", seconds=900, outcome="failed")
    edit(root, "params.yaml", "rows: 3", "rows: 2")
    edit(root, "params.yaml", "flag: -n", "flag: -u")

    code, lines = text(root, capsys)

    assert code == 0
    assert lines[0].split()[:3] == ["preflight", "will", "run"]
    assert lines[1:] == [
        "clean       fresh            --",
        "split       will run       0:03  command -n 3 -> 2",
        "                                 parameter split.rows 3 -> 2",
        "train@up    will run    1:02:05  command -n -> -u",
        '                                 parameter train.up.flag "-n" -> "-u"',
        "train@down  may run        1:01  waits for split",
        "gather      may run          --  waits for train@up, train@down",
        "page        may run          --  waits for gather",
        lines[-1],
    ]
    assert lines[-1].startswith("3 will run (1:02:")  # preflight's own time is in it
    assert lines[-1].endswith(" last time), 3 may run (1:01 last time, 2 without a record here), 1 fresh")


def test_json_tells_the_same_facts(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(root, "raw/rows.txt", "4 c", "7 c")
    made_up.log(root, "clean", seconds=3, peak_mib=40)

    with contextlib.chdir(root):
        assert plan.run(plan.argparse.Namespace(json=True)) == 0
    found = json.loads(capsys.readouterr().out)

    assert found["stages"][1] == {
        "stage": "clean", "status": "will run", "reasons": ["file raw/rows.txt"], "lacks": [],
        "seconds": 3, "peak_mib": 40, "output_bytes": len("5 a\n3 b\n4 c\n1 d\n") + len("6\n"),
    }  # fmt: skip
    assert found["sums"]["will run"] == {"stages": 1, "seconds": 3, "without_record": 0, "output_bytes": 18}
    assert found["sums"]["may run"]["stages"] == 5
    assert found["lacks"] == []


def test_files_of_a_folder_are_told_one_by_one(root: Path) -> None:
    (root / "raw/more.txt").unlink()
    (root / "raw/new.txt").write_text("2 f\n")
    edit(root, "raw/rows.txt", "4 c", "7 c")

    said = Said(root)

    assert said.why["clean"] == ["file raw/more.txt removed", "file raw/new.txt added", "file raw/rows.txt"]


def test_of_many_files_the_first_are_told_and_the_rest_counted(root: Path) -> None:
    for number in range(10):
        (root / f"raw/{number}.txt").write_text("2 f\n")

    said = Said(root)

    assert said.why["clean"] == [*(f"file raw/{n}.txt added" for n in range(3)), "7 more files of raw"]


def test_a_folder_that_git_does_not_know_is_told_as_a_whole(root: Path) -> None:
    (root / "raw/new.txt").write_text("2 f\n")
    made_up.repro(root)
    edit(root, "raw/rows.txt", "4 c", "7 c")

    said = Said(root)

    assert said.why["clean"] == ["folder raw"]


def test_a_file_that_was_touched_is_fresh(root: Path) -> None:
    (root / "raw/rows.txt").touch()

    said = Said(root)

    assert said.statuses == {}


def test_an_output_that_is_gone_or_edited_comes_from_the_cache(root: Path) -> None:
    (root / "cleaned.txt").unlink()
    (root / "page.txt").unlink()
    (root / "page.txt").write_text("edited")

    said = Said(root)

    assert said.statuses == {"clean": CHECKOUT, "page": CHECKOUT}
    assert said.why["clean"] == ["output cleaned.txt deleted"]
    assert said.why["page"] == ["output page.txt modified"]


def test_an_output_that_the_cache_lost_is_made_again(root: Path) -> None:
    cached(root, "page.txt").unlink()

    said = Said(root)

    assert said.statuses == {"page": WILL}
    assert said.why["page"] == ["output page.txt not in the cache"]


def test_an_output_whose_object_is_corrupt_is_made_again_and_the_object_left(root: Path) -> None:
    object_ = cached(root, "page.txt")
    object_.chmod(0o644)
    object_.write_text("corrupt")

    said = Said(root)

    assert said.statuses == {"page": WILL}
    assert object_.read_text() == "corrupt"


def test_an_output_that_no_cache_holds_is_made_again(root: Path) -> None:
    (root / "all.txt").unlink()

    said = Said(root)

    assert said.statuses == {"gather": WILL, "page": MAY}


def test_what_was_built_before_is_restored_and_what_follows_is_known(root: Path) -> None:
    edit(root, "params.yaml", "rows: 3", "rows: 2")
    made_up.repro(root)
    edit(root, "params.yaml", "rows: 2", "rows: 3")

    found = {step.stage: step for step in plan.plan(root)}

    assert {name: found[name].status for name in ("split", "train@up", "train@down", "gather", "page")} == {
        "split": RESTORE, "train@up": RESTORE, "train@down": RESTORE, "gather": WILL, "page": MAY,
    }  # fmt: skip
    assert found["train@up"].reasons == ["file split/train.txt"]
    assert found["gather"].reasons == ["file models/down.txt", "file models/up.txt"]


def test_a_stage_that_a_restored_one_feeds_as_before_is_fresh(root: Path) -> None:
    edit(root, "raw/rows.txt", "9 noise", "8 noise")  # clean drops it
    made_up.repro(root)
    edit(root, "raw/rows.txt", "8 noise", "9 noise")

    said = Said(root)

    assert said.statuses == {"clean": RESTORE}


def test_what_could_be_restored_by_luck_may_run(root: Path) -> None:
    """train@up has a changed parameter, so runs; unless split gives what it once gave with that parameter."""
    edit(root, "params.yaml", "flag: -n", "flag: -u")
    made_up.repro(root)
    edit(root, "params.yaml", "flag: -u", "flag: -n")
    edit(root, "raw/rows.txt", "1 d", "1 d\n7 f")  # below the rows that split takes

    said = Said(root)

    assert said.statuses == {
        "preflight": WILL, "clean": WILL, "split": MAY, "train@up": MAY, "train@down": MAY, "gather": MAY, "page": MAY,
    }  # fmt: skip
    assert made_up.broken(said.steps, output := made_up.repro(root)) == []
    assert made_up.outcomes(output)["train@up"] == "restored"


def test_code_and_packages_are_told_by_preflight_that_ran_elsewhere(root: Path) -> None:
    (root / "code/train.py").write_text("sort on")
    (root / "code/torch.py").write_text("2.13.0")

    said = Said(root)

    assert said.statuses == {
        "preflight": WILL, "clean": WILL, "train@up": WILL, "train@down": WILL, "split": MAY, "gather": MAY,
        "page": MAY,
    }  # fmt: skip
    assert said.why["preflight"] == ["file code/torch.py", "file code/train.py"]
    assert said.why["clean"] == ["package torch 2.12.0 -> 2.13.0"]
    assert said.why["train@up"] == ["train.up.main", "package torch 2.12.0 -> 2.13.0"]


def test_a_key_that_was_committed_is_found_in_git(root: Path) -> None:
    (root / "code/clean.py").write_text("drop more")
    assert made_up.run(root, "dvc", "repro", "preflight").returncode == 0

    said = Said(root)

    assert said.statuses == {
        "clean": WILL,
        "split": MAY,
        "train@up": MAY,
        "train@down": MAY,
        "gather": MAY,
        "page": MAY,
    }
    assert said.why["clean"] == ["clean.main"]


def test_a_key_of_which_nothing_is_left_is_told_so(root: Path) -> None:
    (root / "code/clean.py").write_text("drop more")
    made_up.repro(root)
    (root / "code/clean.py").write_text("drop most")
    assert made_up.run(root, "dvc", "repro", "preflight").returncode == 0

    said = Said(root)

    assert said.why["clean"] == [
        "keys/clean.json: code or packages; which is unknown, for the key of then is neither on disk nor in git"
    ]


def test_a_comment_costs_preflight_alone(root: Path) -> None:
    edit(root, "params.yaml", "split:", "# rows\nsplit:")

    said = Said(root)

    assert said.statuses == {"preflight": WILL}


def test_what_preflight_refuses_is_told_in_its_words(root: Path) -> None:
    (root / "code/clean.py").write_text("broken")

    with pytest.raises(UserError, match=r"^code/clean.py: broken: want what is whole$"):
        plan.plan(root)


def test_a_section_that_is_missing_is_told(root: Path) -> None:
    edit(root, "dvc.yaml", "params: [split.rows]", "params: [split.rows, split.columns]")

    with pytest.raises(UserError, match=r"^params.yaml: split.columns: missing: want this section$"):
        plan.plan(root)


def test_other_parameter_files_count_too(root: Path) -> None:
    (root / "more.yaml").write_text("a: {b: 1}\nc: 2\n")
    (root / "all.yaml").write_text("d: 3\n")
    edit(root, "dvc.yaml", "params: [split.rows]", "params: [split.rows, more.yaml: [a.b], all.yaml: ]")
    made_up.repro(root)
    (root / "more.yaml").write_text("a: {b: 5}\nc: 4\n")
    (root / "all.yaml").write_text("d: 6\n")

    assert Said(root).why["split"] == ["parameter more.yaml:a.b 1 -> 5", "parameter all.yaml:d 3 -> 6"]


def test_a_graph_that_dvc_refuses_is_told_in_its_words(root: Path) -> None:
    edit(root, "params.yaml", "  up: {flag: -n}", "  up: {}")

    with pytest.raises(UserError, match=r"Could not find 'item.flag'"):
        plan.plan(root)


def test_an_item_added_is_not_in_the_lock_and_one_removed_is_no_more(root: Path) -> None:
    edit(root, "params.yaml", "  down: {flag: -r}", "  side: {flag: -u}")

    found = {step.stage: step for step in plan.plan(root)}

    assert found["train@side"].status == WILL
    assert found["train@side"].reasons == ["not in dvc.lock yet"]
    assert "train@down" not in found
    assert found["gather"].status == MAY


def test_nested_parameters_are_told_by_field(root: Path) -> None:
    edit(root, "params.yaml", "note: {of: nothing}", "note: {of: [1, 2.5], on: true}")

    said = Said(root)

    assert said.why["clean"] == [
        'parameter clean.note.of "nothing" -> [1, 2.5]',
        "parameter clean.note.on absent -> true",
    ]


def test_a_long_list_is_told_by_what_came_and_went(root: Path) -> None:
    words = [f"{letter} word of some length" for letter in "abcdef"]
    edit(root, "params.yaml", "note: {of: nothing}", f"note: {words}")
    made_up.repro(root)
    edit(root, "params.yaml", f"note: {words}", f"note: {[*words[1:], 'new']}")

    assert Said(root).why["clean"] == ['parameter clean.note without "a word of some length", with "new"']
    edit(root, "params.yaml", f"note: {[*words[1:], 'new']}", f"note: {words[::-1]}")
    assert Said(root).why["clean"] == ["parameter clean.note in another order"]


def test_a_line_of_the_run_log_that_was_cut_is_passed_over(root: Path) -> None:
    made_up.log(root, "clean", seconds=3)
    with (state_dir.folder(root) / "runs.jsonl").open("a") as log:
        log.write('{"stage": "clean", "outcome": "done", "sec')

    assert {step.stage: step.seconds for step in plan.plan(root)}["clean"] == 3


def test_a_stage_that_always_runs_and_one_that_is_frozen(root: Path) -> None:
    edit(root, "dvc.yaml", "  page:\n", "  page:\n    always_changed: true\n")
    edit(root, "dvc.yaml", "  split:\n", "  split:\n    frozen: true\n")
    edit(root, "raw/rows.txt", "4 c", "7 c")

    said = Said(root)

    assert said.statuses == {"clean": WILL, "page": WILL}
    assert said.why["page"] == ["runs every time"]


def add_data(root: Path) -> None:
    for command in (["dvc", "add", "-q", "raw"], ["dvc", "repro", "-q"]):
        assert made_up.run(root, "git", "rm", "-rq", "--cached", "--ignore-unmatch", "raw").returncode == 0
        done = made_up.run(root, *command)
        assert done.returncode == 0, done.stderr


def test_data_under_dvc_add_are_recorded_as_they_are(root: Path) -> None:
    add_data(root)
    assert "raw.dvc" not in {step.stage for step in plan.plan(root)}
    edit(root, "raw/rows.txt", "4 c", "7 c")

    said = Said(root)

    assert said.statuses["raw.dvc"] == RECORD
    assert said.why["clean"] == ["file raw/rows.txt"]


def test_data_that_are_missing_are_in_the_way(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_data(root)
    shutil.rmtree(root / "raw")

    code, lines = text(root, capsys)

    assert code == 1
    assert [line.split() for line in lines if line.startswith("raw.dvc ")] == [
        ["raw.dvc", "cannot", "run", "--", "raw", "is", "missing"]
    ]
    assert made_up.run(root, "dvc", "repro").returncode != 0


def test_an_input_that_nobody_makes_is_in_the_way(root: Path) -> None:
    shutil.rmtree(root / "raw")

    said = Said(root)

    assert said.statuses["clean"] == FAIL
    assert said.why["clean"] == ["raw is missing"]


def entry_identity(root: Path, stage: str, inputs: dict[str, str]) -> str:
    """Of a stage with these inputs and the parameters and command of now."""
    with reproduction.reading(root) as records:
        return identity.of_lock(records.entry(stage, {path: {"": md5} for path, md5 in inputs.items()}))


def test_work_that_was_finished_is_published_and_its_takers_are_known(root: Path) -> None:
    edit(root, "dvc.yaml", "cat all.txt count.txt > page.txt", "cat all.txt count.txt > page.txt; true")
    inputs = {name: hashlib.md5((root / name).read_bytes()).hexdigest() for name in ("all.txt", "count.txt")}
    assert Said(root).statuses == {"page": WILL}
    kept = state_dir.folder(root) / "finished/page" / entry_identity(root, "page", inputs)
    kept.mkdir(parents=True)
    (kept / "0").write_text("made")
    made = hashlib.md5(b"made").hexdigest()

    assert Said(root).statuses == {"page": WILL}, "without its manifest it is not whole"
    (kept / "manifest.json").write_text(json.dumps({"line": "", "outs": {"page.txt": made}}))
    assert Said(root).statuses == {"page": RESTORE}
    assert Said(root).why["page"][-1] == "finished before: what it made is kept and will be published"
    (kept / "0").write_text("corrupt")
    assert Said(root).statuses == {"page": WILL}


def test_a_stage_that_has_a_checkpoint_goes_on_from_it(root: Path) -> None:
    edit(root, "params.yaml", "flag: -n", "flag: -u")
    md5s = {
        name: hashlib.md5((root / name).read_bytes()).hexdigest() for name in ("keys/train.up.json", "split/train.txt")
    }
    checkpoints = state_dir.folder(root) / "checkpoints/train@up"
    (checkpoints / "0123456789abcdef").mkdir(parents=True)
    assert "goes on from its checkpoint" not in Said(root).why["train@up"]

    mine = checkpoints / entry_identity(root, "train@up", md5s)
    mine.mkdir()
    assert "goes on from its checkpoint" not in Said(root).why["train@up"], "none was made yet"

    (mine / "checkpoint-5").mkdir()

    assert Said(root).why["train@up"][-1] == "goes on from its checkpoint"


def test_what_the_machine_lacks_is_in_the_way(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(root, "dvc.yaml", "meta: {mem_mb: 1, gpu: 0}", "meta: {mem_mb: 3000, gpu: 2}")
    assert text(root, capsys)[0] == 0, "nothing runs, so nothing is lacked"
    edit(root, "params.yaml", "rows: 3", "rows: 2")
    made_up.log(root, "train@up", peak_mib=5000)
    for name, value in {"memory": 2 << 30, "gpus": 1}.items():
        monkeypatch.setattr(resources, name, lambda value=value: value)
    monkeypatch.setattr(resources, "disk", lambda *folders: 0)

    code, lines = text(root, capsys)

    assert code == 1
    assert [" ".join(line.split()) for line in lines if "lacks" in line] == [
        "lacks memory: took at most 5000 MiB; 2048 MiB are free",
        "lacks GPU: its meta wants 2; 1 are here",
        "lacks memory: its meta reserves 2861 MiB; 2048 MiB are free",
        "lacks GPU: its meta wants 2; 1 are here",
        "lacks disk: outputs of what will or may run took 0 MiB; 0 MiB are free",
    ]


def everything(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """All files but DVC's own scratch: mode, time of change, content."""
    files = (path for path in root.rglob("*") if path.is_file() and ".dvc/tmp" not in str(path))
    return {str(p): (p.stat().st_mode, p.stat().st_mtime_ns, p.read_bytes()) for p in files}


def test_a_plan_changes_nothing(root: Path) -> None:
    edit(root, "params.yaml", "rows: 3", "rows: 2")
    (root / "code/clean.py").write_text("drop more")
    (root / "page.txt").unlink()
    before = everything(root)

    assert WILL in Said(root).statuses.values()

    assert everything(root) == before
