"""Runs scripts of the isolated tool environments in `envs/`, which uv builds from their locks at the first use."""

import os
import subprocess
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from modelmake.errors import UserError
from modelmake.running import state_dir

# Variables, by patterns, that decide what a compiler or build makes of the same sources. No key holds them.
BUILD = (
    "ARCHFLAGS", "CC", "CFLAGS", "CMAKE_*", "CPPFLAGS", "CUDAARCHS", "CUDAFLAGS", "CXX", "CXXFLAGS", "FORCE_CMAKE",
    "GGML_*", "LDFLAGS", "LLAMA_*", "NVCC_*", "SKBUILD_*", "UV_CONFIG_SETTINGS*", "UV_NO_BINARY*",
    "UV_NO_BUILD_ISOLATION*", "UV_NO_SYNC",
)  # fmt: skip


def run(environment: Path, script: str, arguments: dict[str, str | Path | int], where: str) -> None:
    """Runs `environment/script` with `--name value` for each argument, on this process's stdout and stderr.

    Hashes are not random there, so that sets have the same order in each run.

    Raises:
        UserError: the environment cannot be built, or flags of the shell would change it, or the script failed.
    """
    if flags := build_flags(os.environ):
        raise UserError(
            f"{where}: {', '.join(flags)} would change what {environment} compiles: unset it, or declare it in "
            f"{environment}/pyproject.toml ([tool.uv.config-settings-package])"
        )
    venv = state_dir.tool_environment(Path(), environment)
    words = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
    finished = subprocess.run(
        ["uv", "run", "--project", str(environment), "--frozen", "python", str(environment / script), *words],
        env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(venv), "PYTHONHASHSEED": "0"},
    )
    if finished.returncode:
        raise UserError(
            f"{where}: {environment}/{script} failed with exit code {finished.returncode}: see its output "
            "above (the first use installs the environment, which needs the network, for llama.cpp a C++ compiler)"
        )


def build_flags(variables: Mapping[str, str]) -> list[str]:
    """Those of `variables`, as they would be set in a shell, that change what a tool environment compiles."""
    names = [name for name in sorted(variables) if any(fnmatchcase(name, pattern) for pattern in BUILD)]
    return [f"{name}={variables[name]}" for name in names]
