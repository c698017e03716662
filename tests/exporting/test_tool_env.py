"""What a tool environment is built from is all in its key: flags of the shell are refused."""

import os
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.exporting import tool_env


def test_flags_of_compilers_and_builds_are_found() -> None:
    variables = {
        "PATH": "/bin", "CMAKE_ARGS": "-DGGML_CUDA=on", "CFLAGS": "-O0", "CC": "clang", "CCACHE_DIR": "/x",
        "CXX": "g++", "UV_CONFIG_SETTINGS": "cmake=x", "UV_CACHE_DIR": "/x", "HOME": "/root",
        "UV_NO_BINARY_PACKAGE": "llama-cpp-python", "CUDAARCHS": "89", "CUDA_HOME": "/usr/local/cuda",
    }  # fmt: skip

    assert tool_env.build_flags(variables) == [
        "CC=clang", "CFLAGS=-O0", "CMAKE_ARGS=-DGGML_CUDA=on", "CUDAARCHS=89", "CXX=g++", "UV_CONFIG_SETTINGS=cmake=x",
        "UV_NO_BINARY_PACKAGE=llama-cpp-python",
    ]  # fmt: skip


def test_a_tool_is_refused_where_flags_would_change_what_it_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in tool_env.build_flags(os.environ):
        monkeypatch.delenv(variable.partition("=")[0])
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_NATIVE=off")

    with pytest.raises(UserError, match=r"^quantize\.Q4: CMAKE_ARGS=-DGGML_NATIVE=off would change what .*: unset it"):
        tool_env.run(tmp_path, "quantize.py", {}, "quantize.Q4")
