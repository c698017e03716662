"""Runs scripts of the isolated tool environments in `envs/`, which uv builds from their locks at the first use."""

import hashlib
import os
import subprocess
from pathlib import Path

from modelmake.errors import UserError
from modelmake.running import state_dir


def run(environment: Path, script: str, arguments: dict[str, str | Path | int], where: str) -> None:
    """Runs `environment/script` with `--name value` for each argument, on this process's stdout and stderr.

    Raises:
        UserError: the environment cannot be built, or the script failed.
    """
    lock = hashlib.sha256((environment / "uv.lock").read_bytes()).hexdigest()[:16]
    venv = state_dir.folder(Path()) / state_dir.TOOL_ENVIRONMENTS / f"{environment.name}-{lock}"
    flags = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
    finished = subprocess.run(
        ["uv", "run", "--project", str(environment), "--frozen", "python", str(environment / script), *flags],
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(venv)},
    )
    if finished.returncode:
        raise UserError(
            f"{where}: {environment}/{script} failed with exit code {finished.returncode}: see its output "
            "above (the first use installs the environment, which needs the network, for llama.cpp a C++ compiler)"
        )
