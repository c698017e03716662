"""The command prints one line for each finding, the commands that mend it, and what rebuilds have proven."""

import pytest

from modelmake import artifacts
from modelmake.errors import UserError
from tests.conftest import Project
from tests.modelmake.small_build import flip
from tests.modelmake.verifying.conftest import MODELMAKE, command


def test_the_printed_lines_say_what_was_found_what_was_wanted_and_what_to_do(project: Project) -> None:
    head = project.path / "parts/head.txt"
    recorded = artifacts.measure(head).md5
    flip(head)
    code, output = project.run(*MODELMAKE, "verify")

    assert code == 1
    line = f"workspace: parts/head.txt: corrupt: found 30 bytes, md5 {artifacts.measure(head).md5}: want md5 {recorded}"
    assert output.splitlines() == [
        line,
        "workspace: 8 files, 0.0 MB: 1 wrong",
        "inputs: 3 files, 0.0 MB: as dvc.lock says",
        "cache: 9 objects, 0.0 MB: as dvc.lock says",
        "remote: not looked at; `modelmake verify --remote` does",
        "to mend, in this order:",
        "  rm -f parts/head.txt",
        "  dvc checkout parts",
        "proven: not rebuilt yet 5",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--rebuild", "--remote"],
            "--rebuild: looks at no remote and replaces nothing: leave out --remote and --replace",
        ),
        (["--tolerance", "1"], "--tolerance: works with --rebuild only: else bytes are the same or not"),
        (["--rebuild", "more.txt"], "more.txt: no stage makes it: want a stage with a command to rebuild"),
    ],
)
def test_flags_that_exclude_each_other_are_an_error(project: Project, arguments: list[str], message: str) -> None:
    with pytest.raises(UserError) as error:
        command(project, *arguments)
    assert str(error.value) == message
