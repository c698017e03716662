"""A key changes with all code and packages that a stage reaches, and with nothing else."""

from pathlib import Path

import pytest

from modelmake import keys
from modelmake.errors import UserError

CLEAN = '''"""Cleans."""

from stages import rows


def clean(text: str) -> str:
    """Without white space at its ends."""
    return rows.strip(text)[:100]
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


def key(tree: Path, *modules: str) -> dict:
    return keys.compute(tree, modules or ["stages.clean"])


def edit(tree: Path, file: str, old: str, new: str) -> None:
    text = (tree / file).read_text()
    assert old in text
    (tree / file).write_text(text.replace(old, new))


def test_a_key_names_the_modules_reached_and_their_packages_init(tree: Path) -> None:
    found = key(tree)

    assert list(found) == ["python", "modules", "packages", "environments"]
    assert sorted(found["modules"]) == ["stages", "stages.clean", "stages.rows", "stages.text"]
    assert (found["python"], found["packages"], found["environments"]) == ("3.11", {}, {})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Cleans."""', '"""Cleans rows, at length.\n\nAnd more."""'),
        ('    """Without white space at its ends."""\n', ""),
        ("from stages import rows\n", "# why rows\nfrom stages import rows  # here\n\n"),
        ("[:100]", "[ : 100 ]"),
        ("return rows.strip(text)[:100]", "return (\n        rows.strip(text)[:100]\n    )"),
    ],
)
def test_comments_docstrings_and_formatting_keep_the_key(tree: Path, old: str, new: str) -> None:
    before = key(tree)

    edit(tree, "stages/clean.py", old, new)

    assert key(tree) == before


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("stages/clean.py", "100", "101", "stages.clean"),
        ("stages/clean.py", "def clean(", "def cleaned(", "stages.clean"),
        ("stages/clean.py", "text: str", "text", "stages.clean"),
        ("stages/rows.py", "text.strip(x)", "text.strip(x.lower())", "stages.rows"),
        ("stages/text.py", "x.strip()", "x.rstrip()", "stages.text"),
        ("stages/__init__.py", "", "import os\n", "stages"),
    ],
)
def test_an_edit_of_reached_code_changes_the_hash_of_its_module_alone(
    tree: Path, file: str, old: str, new: str, changed: str
) -> None:
    before = key(tree)

    (tree / file).write_text((tree / file).read_text().replace(old, new) if old else new)

    after = key(tree)
    assert {n for n in before["modules"] if before["modules"][n] != after["modules"][n]} == {changed}


def test_unreached_code_and_packages_leave_the_key_as_it_was(tree: Path) -> None:
    before = key(tree)

    edit(tree, "stages/unreached.py", "import left_alone", "import torch")
    edit(tree, "modelmake/harness.py", "import os", "import sys")
    edit(tree, "envs/tool/quantize.py", "1", "2")
    edit(tree, "uv.lock", '"2.13.0"', '"2.14.0"')

    assert key(tree) == before


@pytest.mark.parametrize(
    ("statement", "module"),
    [
        ("import stages.deep.leaf", "stages.deep.leaf"),
        ("import stages.deep.leaf as other", "stages.deep.leaf"),
        ("from stages.deep import leaf", "stages.deep.leaf"),
        ("from stages.deep.leaf import name", "stages.deep.leaf"),
        ("from stages.deep.leaf import *", "stages.deep.leaf"),
        ("from stages.deep import name", "stages.deep"),
        ("from .deep import leaf", "stages.deep.leaf"),
        ("from .deep.leaf import name", "stages.deep.leaf"),
        ("from . import text", "stages.text"),
        ("def late():\n    from stages.deep.leaf import name", "stages.deep.leaf"),
        ("try:\n    import stages.deep.leaf\nexcept ImportError:\n    pass", "stages.deep.leaf"),
    ],
)
def test_every_way_to_import_counts(tree: Path, statement: str, module: str) -> None:
    (tree / "stages/deep").mkdir()
    (tree / "stages/deep/__init__.py").write_text("name = 1\n")
    (tree / "stages/deep/leaf.py").write_text("name = 2\n")
    (tree / "stages/clean.py").write_text(statement + "\n")

    package = {"stages.deep"} if "deep" in module else set()
    assert set(key(tree)["modules"]) == {"stages", "stages.clean", module} | package


def test_a_relative_import_inside_a_package_looks_from_that_package(tree: Path) -> None:
    (tree / "stages/deep").mkdir()
    (tree / "stages/deep/__init__.py").write_text("from . import leaf\n")
    (tree / "stages/deep/leaf.py").write_text("from ..text import strip\n")

    reached = {"stages", "stages.deep", "stages.deep.leaf", "stages.text"}
    assert set(key(tree, "stages.deep")["modules"]) == reached


def test_modules_that_import_each_other_are_all_reached(tree: Path) -> None:
    edit(tree, "stages/text.py", "def", "from stages import clean\n\n\ndef")

    assert set(key(tree)["modules"]) == {"stages", "stages.clean", "stages.rows", "stages.text"}


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
    assert keys.difference(before, key(tree)) == "package numpy 2.4.0 -> 2.4.1"


def test_an_import_that_is_not_named_like_its_distribution_is_found_by_what_is_installed(tree: Path) -> None:
    edit(tree, "stages/rows.py", "from stages import text\n", "from stages import text\nimport vl_convert\n")

    assert key(tree)["packages"] == {"vl-convert-python": "1.9"}


def test_an_import_that_is_not_locked_is_told_with_who_imports_it(tree: Path) -> None:
    edit(tree, "stages/rows.py", "from stages import text", "import pandas.core\nfrom stages import text")

    with pytest.raises(UserError, match=r"^stages\.rows: imports pandas\.core, which is not in uv\.lock: `uv add` it$"):
        key(tree)


def test_an_environment_counts_by_its_lock_and_its_scripts(tree: Path) -> None:
    before = keys.compute(tree, ["stages.clean"], ["envs/tool"])
    assert list(before["environments"]["envs/tool"]) == ["uv.lock", "quantize.py"]

    edit(tree, "envs/tool/quantize.py", "SPEED = 1", "SPEED = 1  # slow")
    assert keys.compute(tree, ["stages.clean"], ["envs/tool"]) == before

    edit(tree, "envs/tool/uv.lock", "1", "2")
    after = keys.compute(tree, ["stages.clean"], ["envs/tool"])
    assert keys.difference(before, after) == "environment envs/tool"


def test_the_python_version_counts(tree: Path) -> None:
    before = key(tree)

    edit(tree, ".python-version", "3.11", "3.12")

    assert keys.difference(before, key(tree)) == "python 3.11 -> 3.12"


def test_a_difference_names_what_came_what_went_and_what_changed() -> None:
    old = {"python": "3.11", "modules": {"stages.a": "1", "stages.b": "1"}, "packages": {"torch": "2.12", "gone": "1"}}
    new = {"python": "3.11", "modules": {"stages.a": "2", "stages.c": "1"}, "packages": {"torch": "2.13"}}

    assert keys.difference(old, new) == (
        "module stages.a, module stages.b, module stages.c, package gone 1 -> None, package torch 2.12 -> 2.13"
    )
    assert keys.difference(old, old) == ""
