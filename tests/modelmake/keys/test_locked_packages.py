"""Imports lead to distributions in uv.lock, and those to everything they need."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from modelmake.keys import locked_packages

LOCK = """
version = 1
[[package]]
name = "torch"
version = "2.13.0"
dependencies = [{ name = "numpy" }]
[[package]]
name = "numpy"
version = "2.4.0"
sdist = { url = "https://example.org/numpy.tar.gz" }
wheels = [
    { url = "https://example.org/numpy.whl" },
]
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
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "uv.lock"
    file.write_text(LOCK)
    return file


def closure(lock: Path, *imports: str) -> dict[str, str]:
    return locked_packages.closure(lock, dict.fromkeys(imports, "stages.text"))


def test_packages_include_what_the_lock_says_they_need(lock: Path) -> None:
    assert closure(lock, "torch", "torch.nn", "torch.nn.functional", "ruamel.yaml", "ruamel.yaml.YAML", "re") == {
        "blas-lib": "0.3", "numpy": "2.4.0", "ruamel-yaml": "0.18", "torch": "2.13.0",
    }  # fmt: skip


def test_both_locked_versions_of_a_package_count(lock: Path) -> None:
    assert closure(lock, "forked") == {"forked": "1.0,2.0"}


def test_an_import_with_another_name_than_its_distribution_is_found_among_installed_packages(lock: Path) -> None:
    assert closure(lock, "vl_convert") == {"vl-convert-python": "1.9"}


def test_a_namespace_is_left_to_the_longer_names_in_it(lock: Path) -> None:
    assert closure(lock, "ruamel", "ruamel.yaml") == {"ruamel-yaml": "0.18"}


def test_an_import_that_is_not_locked_is_an_error(lock: Path) -> None:
    with pytest.raises(UserError, match=r"^stages\.text: imports pandas, which is not in uv\.lock: `uv add` it$"):
        closure(lock, "pandas")


def test_the_standard_library_needs_no_package(lock: Path) -> None:
    assert closure(lock, "os.path", "__main__") == {}


def test_progress_bars_and_colours_and_what_only_they_need_are_left_out(lock: Path) -> None:
    text = lock.read_text()
    text += '[[package]]\nname = "tqdm"\nversion = "4"\n[[package]]\nname = "rich"\nversion = "1"\n'
    text += 'dependencies = [{ name = "left-alone" }]\n'
    lock.write_text(text.replace('[{ name = "numpy" }]', '[{ name = "numpy" }, { name = "rich" }]'))

    assert closure(lock, "torch", "tqdm") == {"blas-lib": "0.3", "numpy": "2.4.0", "torch": "2.13.0"}
