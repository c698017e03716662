"""An input comes whole from the older clone, and nothing else does."""

from pathlib import Path

import pytest

from modelmake import params
from modelmake.blaming import mixes
from modelmake.blaming.inputs import Input
from modelmake.errors import UserError

OLD = {"raw/a.txt": "old a", "raw/b.txt": "old b", "code/old.py": "1", "params.yaml": "train: {r: 1, s: 1}\nclean: 1\n"}
NEW = {"raw/a.txt": "new a", "raw/b.txt": "new b", "code/new.py": "2", "params.yaml": "train: {r: 2, s: 2}\nclean: 2\n"}


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    for name, files in {"old": OLD, "new": NEW}.items():
        for file, text in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(text)
    return tmp_path / "old", tmp_path / "new"


def files(path: Path) -> dict[str, str]:
    return {str(file.relative_to(path)): file.read_text() for file in sorted(path.rglob("*")) if file.is_file()}


def test_a_file_comes_back_and_its_neighbour_stays(sides: tuple[Path, Path]) -> None:
    mixes.put_back(Input("raw/a.txt", "rows", ("raw/a.txt",)), *sides)

    assert files(sides[1]) == NEW | {"raw/a.txt": "old a"}
    assert files(sides[0]) == OLD


def test_a_folder_comes_back_without_what_only_the_newer_has(sides: tuple[Path, Path]) -> None:
    (sides[0] / "code/__pycache__").mkdir()
    (sides[0] / "code/__pycache__/old.pyc").write_text("compiled")
    mixes.put_back(Input("code", "code", ("code",)), *sides)

    assert files(sides[1]) == {name: text for name, text in NEW.items() if name != "code/new.py"} | {"code/old.py": "1"}


def test_a_file_that_the_older_lacks_is_gone_and_a_part_is_its_content(sides: tuple[Path, Path]) -> None:
    mixes.put_back(Input("c", "rows", ("code/new.py",), contents={"raw/more/c.txt": b"half"}), *sides)

    assert files(sides[1]) == {n: t for n, t in NEW.items() if n != "code/new.py"} | {"raw/more/c.txt": "half"}


def test_a_section_comes_back_and_the_other_parameters_stay(sides: tuple[Path, Path]) -> None:
    mixes.put_back(Input("train.r", "parameters", (), ("train.r",)), *sides)

    assert params.load(sides[1] / "params.yaml") == {"train": {"r": 1, "s": 2}, "clean": 2}
    assert (sides[0] / "params.yaml").read_text() == OLD["params.yaml"]


def test_nothing_is_put_back_outside_of_the_clone(sides: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match="outside of the project"):
        mixes.put_back(Input("x", "files", ("../x",)), *sides)
