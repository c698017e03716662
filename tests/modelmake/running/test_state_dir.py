"""What belongs to the machine lives where every workspace of a project finds it, and reaches no key."""

from pathlib import Path

import pytest

from modelmake.keys import key
from modelmake.keys.reach import reach
from modelmake.running import state_dir
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("config", "local", "folder"),
    [
        ("[core]\n    analytics = false\n", None, ".dvc/cache/modelmake"),
        ("[cache]\n    dir = ../shared\n", None, ".dvc/../shared/modelmake"),
        ("[cache]\n    dir = /mnt/100%/cache\n", None, "/mnt/100%/cache/modelmake"),
        (
            "['remote \"store\"']\n    url = x\n",
            "[cache]\n    dir = '/mnt/a cache'\n",
            "/mnt/a cache/modelmake",
        ),
    ],
)
def test_the_folder_is_in_the_cache_that_dvc_is_told_of(
    tmp_path: Path, config: str, local: str | None, folder: str
) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(config)
    if local:
        (tmp_path / ".dvc/config.local").write_text(local)

    assert state_dir.folder(tmp_path) == (tmp_path / folder).resolve()


def test_dvc_and_its_plugins_are_in_no_stages_key() -> None:
    packages = reach(ROOT, "modelmake.harness", [], key.FIRST_PARTY).imports

    assert not {name for name in packages if name.startswith(("dvc", "s3fs", "celery"))}
