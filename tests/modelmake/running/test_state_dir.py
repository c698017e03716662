"""The state folder of a machine is where every workspace of a project finds it, and DVC is in no key because of it."""

from pathlib import Path

import pytest

from modelmake.keys import stage_key
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
def test_the_folder_is_in_the_cache_that_dvc_is_configured_to_use(
    tmp_path: Path, config: str, local: str | None, folder: str
) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(config)
    if local:
        (tmp_path / ".dvc/config.local").write_text(local)

    assert state_dir.folder(tmp_path) == (tmp_path / folder).resolve()


def test_dvc_and_its_plugins_are_in_no_key_of_a_stage() -> None:
    packages = reach(ROOT, "modelmake.harness", [], stage_key.FIRST_PARTY, None).imports

    assert not {name for name in packages if name.startswith(("dvc", "s3fs", "celery"))}
