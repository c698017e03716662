"""A key changes with all code, data files, environments and packages that a stage reaches, and with nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from modelmake.errors import UserError
from modelmake.keys import stage_key

CLEAN = '''"""Cleans."""

from stages import rows


def clean(text: str) -> str:
    """Without white space at its ends."""
    return rows.strip(text)[:100]


if __name__ == "__main__":
    print(clean(input()))
'''
FILES = {
    ".python-version": "3.11\n",
    "modelmake/__init__.py": "",
    "modelmake/harness.py": "import os\n",
    "stages/__init__.py": "",
    "stages/clean.py": CLEAN,
    "stages/rows.py": "from stages import text\n\n\ndef strip(x):\n    return text.strip(x)\n",
    "stages/text.py": "def strip(x):\n    return x.strip()\n",
    "stages/unreached.py": "import left_alone\n",
    "envs/tool/pyproject.toml": '[tool.uv.config-settings]\ncmake = "-DFAST=ON"\n',
    "envs/tool/uv.lock": "version = 1\n",
    "envs/tool/quantize.py": "SPEED = 1\n",
    "uv.lock": '[[package]]\nname = "torch"\nversion = "2.13.0"\n[[package]]\nname = "left-alone"\nversion = "1.0"\n',
}

LOCAL = '[[package]]\nname = "ours"\nversion = "1"\nsource = { editable = "../../ours" }\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def key(tree: Path, *environments: str) -> dict[str, Any]:
    return stage_key.compute(tree, "stages.clean", [], environments)


def edit(tree: Path, file: str, old: str, new: str) -> None:
    text = (tree / file).read_text()
    assert old in text
    (tree / file).write_text(text.replace(old, new))


def test_a_key_lists_reached_symbols_by_module(tree: Path) -> None:
    result = key(tree)

    assert list(result) == ["python", "symbols", "whole", "files", "packages", "environments"]
    assert {module: list(symbols) for module, symbols in result["symbols"].items()} == {
        "stages": [""], "stages.clean": ["", "__main__", "clean"], "stages.rows": ["", "strip"],
        "stages.text": ["", "strip"],
    }  # fmt: skip
    assert {name: result[name] for name in ("python", "whole", "files", "packages", "environments")} == {
        "python": "3.11", "whole": {}, "files": {}, "packages": {}, "environments": {},
    }  # fmt: skip


def test_unreached_code_environments_and_packages_are_not_in_the_key(tree: Path) -> None:
    before = key(tree)

    edit(tree, "stages/unreached.py", "import left_alone", "import torch")
    edit(tree, "modelmake/harness.py", "import os", "import sys")
    edit(tree, "envs/tool/quantize.py", "1", "2")
    edit(tree, "uv.lock", '"2.13.0"', '"2.14.0"')

    assert key(tree) == before


def test_only_versions_of_reached_packages_change_a_key(tree: Path) -> None:
    edit(tree, "stages/text.py", "def", "import torch\ndef")
    before = key(tree)

    edit(tree, "uv.lock", 'name = "left-alone"\nversion = "1.0"', 'name = "left-alone"\nversion = "9.9"')
    assert key(tree) == before

    edit(tree, "uv.lock", '"2.13.0"', '"2.13.1"')
    assert stage_key.difference(before, key(tree)) == ["package torch 2.13.0 -> 2.13.1"]


@pytest.mark.parametrize(
    ("code", "packages"),
    [("from importlib.metadata import version\nprint(version('Left_Alone'))", ["left-alone"]),
     ("from importlib import metadata\nprint(metadata.version('torch'), metadata.requires('absent'))", ["torch"]),
     ("import importlib.metadata as m\nfor x in ('torch',): print(m.version(x))", ["left-alone", "torch"]),
     ("from importlib.metadata import version\nprint(list(map(version, [])))", ["left-alone", "torch"]),
     ("from importlib.metadata import PackageNotFoundError\nprint(PackageNotFoundError)", []),
     ("import pkg_resources as p\nprint(p.get_distribution('torch').version)", ["torch"])],
)  # fmt: skip
def test_a_package_of_which_code_asks_the_version_is_in_the_key(tree: Path, code: str, packages: list[str]) -> None:
    lock = (tree / "uv.lock").read_text()
    edit(tree, "stages/text.py", "def", f"{code}\ndef")
    if "pkg_resources" in code:
        (tree / "uv.lock").write_text(f'{lock}[[package]]\nname = "pkg-resources"\nversion = "1"\n')

    assert [name for name in key(tree)["packages"] if name != "pkg-resources"] == packages


def test_an_import_that_is_not_locked_is_an_error_that_names_the_importer(tree: Path) -> None:
    edit(tree, "stages/rows.py", "from stages import text", "import pandas.core\nfrom stages import text")

    with pytest.raises(UserError, match=r"^stages\.rows: imports pandas\.core, which is not in uv\.lock: `uv add` it$"):
        key(tree)


def test_an_environment_counts_by_the_code_of_its_scripts_and_the_bytes_of_its_other_files(tree: Path) -> None:
    edit(tree, "envs/tool/uv.lock", "version = 1\n", LOCAL)
    (tree / "ours").mkdir()
    (tree / "ours/metrics.py").write_text("X = 1")
    before = key(tree, "envs/tool")
    assert list(before["environments"]["envs/tool"]) == ["pyproject.toml", "quantize.py", "uv.lock", "../../ours"]

    edit(tree, "envs/tool/quantize.py", "SPEED = 1", "SPEED = 1  # slow")
    (tree / "envs/tool/.venv").mkdir()
    (tree / "envs/tool/.venv/pyvenv.cfg").touch()
    assert key(tree, "envs/tool") == before

    edit(tree, "envs/tool/uv.lock", '"1"', '"2"')
    edit(tree, "envs/tool/pyproject.toml", "ON", "OFF")
    edit(tree, "ours/metrics.py", "1", "2")
    (tree / "envs/tool/types.json").touch()
    assert stage_key.difference(before, key(tree, "envs/tool")) == [
        f"environment envs/tool/{name}" for name in ("../../ours", "pyproject.toml", "types.json", "uv.lock")
    ]


def test_the_python_version_counts(tree: Path) -> None:
    before = key(tree)

    edit(tree, ".python-version", "3.11", "3.12")

    assert stage_key.difference(before, key(tree)) == ["python 3.11 -> 3.12"]


def test_values_that_dvc_takes_for_one_another_count(tree: Path) -> None:
    keys = [stage_key.compute(tree, "stages.clean", values=values) for values in ([], [["a", "True"]], [["a", "1.0"]])]

    assert keys[0] == key(tree)
    assert stage_key.difference(keys[1], keys[2]) == ["1, 1.0 or true among the parameters"]


def test_a_difference_names_everything_added_removed_and_changed() -> None:
    old = {"symbols": {"stages.a": {"": "1", "f": "1"}, "stages.b": {"g": "1"}}, "packages": {"gone": "1"}}
    new = {"symbols": {"stages.a": {"": "2", "f": "2"}}, "packages": {"torch": "2.13"}, "files": {"stages/x.txt": "1"}}

    assert stage_key.difference(old, new) == [
        "stages.a.f", "stages.b.g", "top level of stages.a", "file stages/x.txt", "package gone 1 -> None",
        "package torch None -> 2.13",
    ]  # fmt: skip
    assert stage_key.difference(old, old) == []


def test_the_content_of_a_key_file_reads_back_as_the_key(tree: Path) -> None:
    assert json.loads(stage_key.to_json(key(tree))) == key(tree)
