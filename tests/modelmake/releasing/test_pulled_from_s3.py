"""A release on a store with an S3 API is rehashed there, and pulled by somebody who has no clone."""

from pathlib import Path

import pytest

from modelmake.releasing import pulling
from tests.modelmake.releasing.conftest import contents_of, make_team
from tests.remote import stores

FILES = {"m.safetensors": b"weights" * 50, "deep/config.json": b"{}"}


@pytest.mark.slow
def test_a_release_on_s3_is_promoted_and_pulled(tmp_path: Path) -> None:
    with stores.s3(tmp_path) as store:
        (_, _, _, _, _, url), (_, _, _, _, _, endpoint) = store.commands
        team = make_team(tmp_path, f"{url}\n    endpointurl = {endpoint}")
        team.ada.build(FILES)
        for name, content in contents_of(team.ada.store).items():
            store.write(name, content)

        assert "remote store: 2 objects, 0.0 MB, rehashed there" in team.ada.promote("v1.0.0")
        pulling.pull("model@prod", str(team.url), tmp_path, "here")
    assert contents_of(tmp_path / "here") == FILES
