"""Phrases name the parameter, file, function or package that changed."""

from pathlib import Path

from modelmake.planning.forecast import Status
from tests import made_up_graph as graph
from tests.made_up_graph import Plan, edit


def test_files_of_a_folder_are_named_one_by_one(root: Path) -> None:
    (root / "raw/more.txt").unlink()
    (root / "raw/new.txt").write_text("2 f\n")
    edit(root, "raw/rows.txt", "4 c", "7 c")

    assert Plan(root).reasons["clean"] == [
        "file raw/more.txt removed", "file raw/new.txt added", "file raw/rows.txt",
    ]  # fmt: skip


def test_of_many_files_the_first_are_named_and_the_rest_counted(root: Path) -> None:
    for number in range(10):
        (root / f"raw/{number}.txt").write_text("2 f\n")

    assert Plan(root).reasons["clean"] == [*(f"file raw/{n}.txt added" for n in range(3)), "7 more files of raw"]


def test_a_folder_whose_old_files_are_not_known_is_named_as_a_whole(root: Path) -> None:
    (root / "raw/new.txt").write_text("2 f\n")
    graph.repro(root)
    edit(root, "raw/rows.txt", "4 c", "7 c")

    assert Plan(root).reasons["clean"] == ["folder raw"]


def test_a_key_that_was_committed_is_found_in_git(root: Path) -> None:
    (root / "code/clean.py").write_text("drop more")
    assert graph.run(root, "dvc", "repro", "preflight").returncode == 0

    planned = Plan(root)

    later = dict.fromkeys(("split", "train@up", "train@down", "gather", "page"), Status.MAY_RUN)
    assert planned.statuses == {"clean": Status.WILL_RUN, **later}
    assert planned.reasons["clean"] == ["clean.main"]


def test_a_key_of_which_nothing_is_left_is_not_known(root: Path) -> None:
    (root / "code/clean.py").write_text("drop more")
    graph.repro(root)
    (root / "code/clean.py").write_text("drop most")
    assert graph.run(root, "dvc", "repro", "preflight").returncode == 0

    assert Plan(root).reasons["clean"] == [
        "keys/clean.json: code or packages; the recorded key is neither on disk nor in git, so which is unknown"
    ]


def test_other_parameter_files_count_too(root: Path) -> None:
    (root / "more.yaml").write_text("a: {b: 1}\nc: 2\n")
    (root / "all.yaml").write_text("d: 3\n")
    edit(root, "dvc.yaml", "params: [split.rows]", "params: [split.rows, more.yaml: [a.b], all.yaml: ]")
    graph.repro(root)
    (root / "more.yaml").write_text("a: {b: 5}\nc: 4\n")
    (root / "all.yaml").write_text("d: 6\n")

    assert Plan(root).reasons["split"] == ["parameter more.yaml:a.b 1 -> 5", "parameter all.yaml:d 3 -> 6"]


def test_nested_parameters_are_named_by_field(root: Path) -> None:
    edit(root, "params.yaml", "note: {of: nothing}", "note: {of: [1, 2.5], on: true}")

    assert Plan(root).reasons["clean"] == [
        'parameter clean.note.of "nothing" -> [1, 2.5]',
        "parameter clean.note.on absent -> true",
    ]


def test_a_long_list_is_told_by_the_items_removed_and_added(root: Path) -> None:
    words = [f"{letter} word of some length" for letter in "abcdef"]
    edit(root, "params.yaml", "note: {of: nothing}", f"note: {words}")
    graph.repro(root)
    edit(root, "params.yaml", f"note: {words}", f"note: {[*words[1:], 'new']}")

    assert Plan(root).reasons["clean"] == ['parameter clean.note without "a word of some length", with "new"']
    edit(root, "params.yaml", f"note: {[*words[1:], 'new']}", f"note: {words[::-1]}")
    assert Plan(root).reasons["clean"] == ["parameter clean.note in another order"]
