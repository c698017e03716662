"""Inputs, parameters and code edited while a stage runs: nothing stale is published, and no finished work is lost."""

import pytest

from tests.modelmake.conftest import SHOUT, SHOUT_SLOWLY, StageProject

CHANGED = (
    "shout: {} changed while the stage ran: nothing published; run `dvc repro` again, or undo the change: the finished "
    "outputs are kept and then published at once"
)


def by_hand(line: str) -> str:
    """The message of a stage that is run by hand, which is named by its module."""
    return line.replace("shout:", "stages.shout:", 1) + "\n"


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [
        ("source.txt", "other rows", "source.txt"),
        ("params.yaml", "shout: {mark: '!!'}\n", "params.yaml: shout"),
        ("source.txt", None, "source.txt"),
    ],
)
def test_a_changed_input_or_parameter_is_refused_and_once_restored_the_outputs_are_published(
    project: StageProject, file: str, text: str | None, name: str
) -> None:
    project.write_stage(SHOUT_SLOWLY)
    edited = project.root / file
    before = edited.read_text()

    result = project.run(meanwhile=lambda: edited.write_text(text) if text else edited.unlink())

    assert result == (1, "", by_hand(CHANGED.format(name)))
    assert project.published() == {}
    (project.root / "go").unlink()  # a run that computes would wait forever
    edited.write_text(before)
    assert project.run() == (0, "stages.shout: 1 row\n", "")
    assert project.published() == {"loud.txt": "ROWS!"}
    assert [line["outcome"] for line in project.log()] == ["kept", "taken"]


def test_an_edit_that_is_undone_before_the_end_does_not_reach_the_stage(project: StageProject) -> None:
    project.write_stage("wait_for('go')\nloud.write_text(source.read_text())\nreturn ''")

    def edit() -> None:
        (project.root / "source.txt").write_text("other")
        (project.root / "source.txt").write_text("rows")

    assert project.run(meanwhile=edit)[0] == 0
    assert project.published() == {"loud.txt": "rows"}


def test_a_large_input_written_to_in_place_is_refused_and_nothing_is_stored(project: StageProject) -> None:
    source = project.root / "source.txt"
    source.write_bytes(b"x" * ((64 << 20) + 1))  # linked, not copied
    project.write_stage(SHOUT_SLOWLY)

    def append() -> None:
        with source.open("a") as file:
            file.write("!")

    assert project.run(meanwhile=append) == (
        1,
        "",
        "stages.shout: an input file changed while the stage ran: nothing published; run `dvc repro` again\n",
    )
    assert not list((project.root / ".dvc/cache/modelmake").glob("finished/*/*"))


def test_a_file_added_to_an_input_folder_is_refused(project: StageProject) -> None:
    project.write_stage("loud.write_text('x')\nwait_for('go')\nreturn ''")
    (project.root / "source.txt").unlink()
    (project.root / "source.txt/deep").mkdir(parents=True)

    result = project.run(meanwhile=(project.root / "source.txt/deep/new.jsonl").touch)

    assert result == (1, "", by_hand(CHANGED.format("source.txt")))


def test_other_sections_and_comments_of_params_may_change(project: StageProject) -> None:
    project.write_stage(SHOUT_SLOWLY)
    text = "# edited\nother: {mark: 'x'}\nshout:\n  mark: '!' # loud\n"

    code, _, err = project.run(meanwhile=lambda: (project.root / "params.yaml").write_text(text))

    assert (code, err) == (0, "")


def test_changed_code_is_refused_and_once_restored_the_outputs_are_published(project: StageProject) -> None:
    project.write_stage(SHOUT_SLOWLY)

    code, _, err = project.run(meanwhile=lambda: project.write_stage(SHOUT))

    assert (code, err) == (1, by_hand(CHANGED.format("stages.shout.main, stages.shout.wait_for")))
    assert project.published() == {}
    project.write_stage(SHOUT_SLOWLY)
    (project.root / "go").unlink()
    assert project.run() == (0, "stages.shout: 1 row\n", "")


def test_unreached_functions_comments_and_names_of_locals_may_change(project: StageProject) -> None:
    project.write_stage("text = source.read_text()\nloud.write_text(text)\nwait_for('go')\nreturn ''")

    def edit() -> None:
        file = project.root / "stages/shout.py"
        file.write_text(
            file.read_text().replace("text =", "words =").replace("(text)", "(words)") + "def idle(): ...\n"
        )

    assert project.run(meanwhile=edit)[0] == 0
