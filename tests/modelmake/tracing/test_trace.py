"""One question at a time, from any folder of the project."""

import pytest

from tests.made_up_history import MadeUpProject


@pytest.mark.parametrize("arguments", [[], ["models/sft", "--row", "e"]])
def test_one_question_at_a_time(project: MadeUpProject, arguments: list[str]) -> None:
    code, output = project.trace(*arguments)

    assert code == 1
    assert output.startswith("trace: want a model")


def test_paths_in_a_question_start_from_the_current_folder(project: MadeUpProject) -> None:
    (project.root / "data/raw").mkdir(parents=True)

    code, output = project.trace("--row", "../raw/mail.jsonl:3", here=project.root / "data/raw")

    assert code == 0
    assert "refusal" in output
