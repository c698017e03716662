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


LOCK = """version = 1
requires-python = "==3.11.*"

[[package]]
name = "tool"
version = "0.1.0"
source = { virtual = "." }
"""
PROJECT = '[project]\nname = "tool"\nversion = "0.1.0"\nrequires-python = "==3.11.*"\n\n[tool.uv]\npackage = false\n'
SCRIPT = "import os, pathlib, sys\npathlib.Path(sys.argv[2]).write_text(f'{hash(\"a\")}')\n"


def test_sets_have_the_same_order_in_each_run_of_a_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in tool_env.build_flags(os.environ):
        monkeypatch.delenv(variable.partition("=")[0])
    monkeypatch.setenv("PYTHONHASHSEED", "random")
    monkeypatch.chdir(tmp_path)
    tool = tmp_path / "tool"
    tool.mkdir()
    for name, content in {"pyproject.toml": PROJECT, "uv.lock": LOCK, "hashes.py": SCRIPT}.items():
        (tool / name).write_text(content)
    for run in ("one", "two"):
        tool_env.run(Path("tool"), "hashes.py", {"written": tmp_path / run}, "tool")

    assert (tmp_path / "one").read_text() == (tmp_path / "two").read_text()
