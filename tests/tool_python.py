"""The Python of an isolated tool environment."""

import os
import subprocess
from pathlib import Path

import pytest

from modelmake.running import state_dir
from tests.conftest import ROOT


def python_of(tool: str) -> Path:
    """The Python of a tool's environment, which is built unless it is there; a test that needs it is skipped if not."""
    environment = ROOT / "envs" / tool
    venv = state_dir.tool_environment(ROOT, environment)
    command = ["uv", "sync", "--project", environment, "--frozen"]
    built = subprocess.run(
        command, env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(venv)}, capture_output=True, text=True
    )
    if built.returncode:
        pytest.skip(f"envs/{tool} cannot be built here: {built.stderr[-200:]}")
    return venv / "bin/python"
