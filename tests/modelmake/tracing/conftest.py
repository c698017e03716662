"""The made-up builds that questions are asked about."""

from pathlib import Path

import pytest

from tests.made_up_history import MadeUpProject
from tests.modelmake.tracing import kettle_build


@pytest.fixture
def project(tmp_path: Path) -> MadeUpProject:
    return kettle_build.two_builds(tmp_path / "project")
