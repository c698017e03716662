"""A key changes with all code and packages that a stage reaches, and with nothing else."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from modelmake.keys import key as keys

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
    "stages/rows/row.py": "from stages import text\n\n\ndef strip(x):\n    return text.strip(x)\n",
    "stages/text.py": "def strip(x):\n    return x.strip()\n",
    "stages/unreached.py": "import left_alone\n",
    "envs/tool/uv.lock": "version = 1\n",
    "envs/tool/quantize.py": "SPEED = 1\n",
    "uv.lock": """
version = 1
[[package]]
name = "torch"
version = "2.13.0"
dependencies = [{ name = "numpy" }]
[[package]]
name = "numpy"
version = "2.4.0"
[package.optional-dependencies]
fast = [{ name = "blas-lib" }]
[[package]]
name = "blas-lib"
version = "0.3"
[[package]]
name = "ruamel-yaml"
version = "0.18"
[[package]]
name = "left-alone"
version = "1.0"
[[package]]
name = "vl-convert-python"
version = "1.9"
[[package]]
name = "forked"
version = "1.0"
[[package]]
name = "forked"
version = "2.0"
""",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def key(tree: Path, module: str = "stages.clean") -> dict:
    return keys.compute(tree, module)


def edit(tree: Path, file: str, old: str, new: str) -> None:
    text = (tree / file).read_text()
    assert old in text
    (tree / file).write_text(text.replace(old, new))


def test_a_key_names_what_is_reached_by_module(tree: Path) -> None:
    found = key(tree)

    assert list(found) == ["python", "symbols", "whole", "files", "packages", "environments"]
    assert {module: list(symbols) for module, symbols in found["symbols"].items()} == {
        "stages": [""], "stages.clean": ["", "__main__", "clean"], "stages.rows.row": ["", "strip"],
        "stages.text": ["", "strip"],
    }  # fmt: skip
    assert {name: found[name] for name in ("python", "whole", "files", "packages", "environments")} == {
        "python": "3.11", "whole": {}, "files": {}, "packages": {}, "environments": {},
    }  # fmt: skip


def test_unreached_code_and_packages_leave_the_key_as_it_was(tree: Path) -> None:
    before = key(tree)

    edit(tree, "stages/unreached.py", "import left_alone", "import torch")
    edit(tree, "modelmake/harness.py", "import os", "import sys")
    edit(tree, "envs/tool/quantize.py", "1", "2")
    edit(tree, "uv.lock", '"2.13.0"', '"2.14.0"')

    assert key(tree) == before


def test_packages_follow_what_the_lock_says_they_need(tree: Path) -> None:
    edit(tree, "stages/text.py", "def", "import torch.nn.functional as F\nfrom ruamel.yaml import YAML\nimport re\ndef")

    assert key(tree)["packages"] == {"blas-lib": "0.3", "numpy": "2.4.0", "ruamel-yaml": "0.18", "torch": "2.13.0"}


def test_two_locked_versions_of_a_package_both_count(tree: Path) -> None:
    edit(tree, "stages/text.py", "def", "import forked\ndef")

    assert key(tree)["packages"] == {"forked": "1.0,2.0"}


def test_only_versions_of_reached_packages_change_a_key(tree: Path) -> None:
    edit(tree, "stages/text.py", "def", "import torch\ndef")
    before = key(tree)

    edit(tree, "uv.lock", 'name = "left-alone"\nversion = "1.0"', 'name = "left-alone"\nversion = "9.9"')
    assert key(tree) == before

    edit(tree, "uv.lock", '"2.4.0"', '"2.4.1"')
    assert keys.difference(before, key(tree)) == ["package numpy 2.4.0 -> 2.4.1"]


def test_an_import_that_is_not_named_like_its_distribution_is_found_by_what_is_installed(tree: Path) -> None:
    edit(tree, "stages/rows/row.py", "from stages import text\n", "from stages import text\nimport vl_convert\n")

    assert key(tree)["packages"] == {"vl-convert-python": "1.9"}


def test_an_import_that_is_not_locked_is_told_with_who_imports_it(tree: Path) -> None:
    edit(tree, "stages/rows/row.py", "from stages import text", "import pandas.core\nfrom stages import text")

    with pytest.raises(UserError, match=r"^stages\.rows: imports pandas\.core, which is not in uv\.lock: `uv add` it$"):
        key(tree)


def test_an_environment_counts_by_its_lock_and_its_scripts(tree: Path) -> None:
    before = keys.compute(tree, "stages.clean", [], ["envs/tool"])
    assert list(before["environments"]["envs/tool"]) == ["uv.lock", "quantize.py"]

    edit(tree, "envs/tool/quantize.py", "SPEED = 1", "SPEED = 1  # slow")
    assert keys.compute(tree, "stages.clean", [], ["envs/tool"]) == before

    edit(tree, "envs/tool/uv.lock", "1", "2")
    after = keys.compute(tree, "stages.clean", [], ["envs/tool"])
    assert keys.difference(before, after) == ["environment envs/tool/uv.lock"]


def test_the_python_version_counts(tree: Path) -> None:
    before = key(tree)

    edit(tree, ".python-version", "3.11", "3.12")

    assert keys.difference(before, key(tree)) == ["python 3.11 -> 3.12"]


def test_a_difference_names_what_came_what_went_and_what_changed() -> None:
    old = {"symbols": {"stages.a": {"": "1", "f": "1"}, "stages.b": {"g": "1"}}, "packages": {"gone": "1"}}
    new = {"symbols": {"stages.a": {"": "2", "f": "2"}}, "packages": {"torch": "2.13"}, "files": {"stages/x.txt": "1"}}

    assert keys.difference(old, new) == [
        "stages.a.f", "stages.b.g", "top level of stages.a", "file stages/x.txt", "package gone 1 -> None",
        "package torch None -> 2.13",
    ]  # fmt: skip
    assert keys.difference(old, old) == []


def test_progress_bars_and_colours_and_what_only_they_need_count_for_nothing(tree: Path) -> None:
    lock = (tree / "uv.lock").read_text()
    lock += '[[package]]\nname = "tqdm"\nversion = "4"\n[[package]]\nname = "rich"\nversion = "1"\n'
    lock += 'dependencies = [{ name = "left-alone" }]\n'
    (tree / "uv.lock").write_text(lock.replace('[{ name = "numpy" }]', '[{ name = "numpy" }, { name = "rich" }]'))
    edit(tree, "stages/rows/row.py", "from stages import text\n", "import torch, tqdm\nfrom stages import text\n")

    assert key(tree)["packages"] == {"blas-lib": "0.3", "numpy": "2.4.0", "torch": "2.13.0"}
