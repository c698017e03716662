"""A release takes the place of a folder wherever that is, or says why it cannot."""

from tests.modelmake.releasing.conftest import Team, contents_of
from tests.modelmake.releasing.test_pulling import ONE, TWO, pull, refused, released

__all__ = ["released"]


def test_a_link_to_a_folder_stays_one_and_the_folder_is_replaced(released: Team) -> None:
    disk = released.folder / "disk"
    (disk / "model").mkdir(parents=True)
    (released.folder / "here").symlink_to(disk / "model")
    pull(released, "model@staging")
    pull(released)
    assert (released.folder / "here").is_symlink() and contents_of(disk / "model") == TWO
    assert sorted(path.name for path in disk.iterdir()) == [".model.pull", "model"]


def test_a_folder_that_cannot_be_renamed_is_told_and_keeps_its_files(released: Team) -> None:
    pull(released, "model@staging")
    (released.folder / ".here.pull/old").touch()  # a folder cannot take the place of a file
    said = refused(released)
    assert "Not a directory: want a folder that can be renamed, which a mount point cannot; pull to" in said
    assert contents_of(released.folder / "here") == ONE
