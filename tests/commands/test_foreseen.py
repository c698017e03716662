"""What was foreseen is computed again if and only if what it was computed from differs."""

from pathlib import Path

import pytest

from stages.commands import foreseen


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Answers `question`, and says whether it was computed."""
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/a.py").write_text("A = 1\n")
    (tmp_path / "uv.lock").write_text("version = 1\n")
    monkeypatch.setattr(foreseen, "STAGES", tmp_path / "stages")

    def ask(question: object) -> bool:
        computed = []
        answer = foreseen.remembered(tmp_path, question, lambda: computed.append(1) or [1, 2.5])
        assert answer == [1, 2.5]
        return bool(computed)

    return ask


def test_a_question_is_computed_once_whatever_the_order_of_its_fields(asked) -> None:
    assert [asked({"a": 1, "b": 2}), asked({"b": 2, "a": 1}), asked({"a": 1, "b": 3})] == [True, False, True]


def test_other_code_and_other_packages_compute_anew(asked, tmp_path: Path) -> None:
    asked("x")
    (tmp_path / "stages/a.py").write_text("A = 2\n")
    assert [asked("x"), asked("x")] == [True, False]
    (tmp_path / "uv.lock").write_text("version = 2\n")
    assert [asked("x"), asked("x")] == [True, False]


def test_a_damaged_entry_is_not_there(asked, tmp_path: Path) -> None:
    asked("x")
    [entry] = (tmp_path / ".dvc/cache/modelmake/foreseen").iterdir()
    entry.write_bytes(b"[1, 2")

    assert [asked("x"), asked("x")] == [True, False]


def test_a_folder_that_cannot_be_written_is_no_error(asked, tmp_path: Path) -> None:
    (tmp_path / ".dvc").write_text("a file")

    assert [asked("x"), asked("x")] == [True, True]
