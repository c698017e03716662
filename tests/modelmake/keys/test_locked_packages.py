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


OTHER_SOURCES = """
[[package]]
name = "forked-trl"
version = "1.0"
source = { git = "https://example.org/trl?branch=main#0123456789abcdef" }
[[package]]
name = "by-url"
version = "1.0"
source = { url = "https://example.org/by_url.tar.gz" }
sdist = { hash = "sha256:aaaa" }
[[package]]
name = "by-wheel"
version = "1.0"
source = { path = "wheels/by_wheel-1.0-py3-none-any.whl" }
wheels = [
    { filename = "by_wheel-1.0-py3-none-any.whl", hash = "sha256:bbbb" },
]
[[package]]
name = "mirrored"
version = "1.0"
source = { registry = "https://example.org/simple" }
[[package]]
name = "our-metrics"
version = "1.0"
source = { editable = "../ours" }
[[package]]
name = "modelmake"
version = "0.1.0"
source = { editable = "." }
"""


def test_the_version_of_what_pypi_does_not_serve_names_its_source_revision_and_content(lock: Path) -> None:
    lock.write_text(LOCK + OTHER_SOURCES)

    packages = closure(lock, "forked_trl", "by_url", "by_wheel", "mirrored", "modelmake")

    assert packages == {
        "by-url": "1.0 url https://example.org/by_url.tar.gz sha256:aaaa",
        "by-wheel": "1.0 path wheels/by_wheel-1.0-py3-none-any.whl sha256:bbbb",
        "forked-trl": "1.0 git https://example.org/trl?branch=main#0123456789abcdef",
        "mirrored": "1.0 registry https://example.org/simple",
        "modelmake": "0.1.0",
    }


def test_a_package_that_is_a_folder_counts_by_its_content(tmp_path: Path) -> None:
    lock = tmp_path / "app/uv.lock"
    module = tmp_path / "ours/src/metrics/__init__.py"
    for file in (lock, module, tmp_path / "ours/.git/HEAD"):
        file.parent.mkdir(parents=True)
    lock.write_text(OTHER_SOURCES)
    module.write_text("X = 1")
    before = closure(lock, "metrics")
    assert list(before) == ["our-metrics"]
    assert before["our-metrics"].startswith("1.0 editable ../ours with content ")

    (tmp_path / "ours/.git/HEAD").write_text("moved")
    (tmp_path / "ours/src/metrics/__pycache__").mkdir()
    (tmp_path / "ours/src/metrics/__pycache__/x.pyc").touch()
    (tmp_path / "ours/.pytest_cache").mkdir()
    (tmp_path / "ours/.pytest_cache/lastfailed").touch()
    (tmp_path / "ours/build").mkdir()
    (tmp_path / "ours/build/metrics.py").touch()
    assert closure(lock, "metrics") == before
    module.write_text("X = 2")
    assert closure(lock, "metrics") != before
    assert locked_packages.local_contents(lock).keys() == {"../ours"}


@pytest.mark.parametrize(
    "files",
    [["target/CACHEDIR.TAG", "target/debug/x.so"], ["venv/pyvenv.cfg", "venv/lib/x.py"], ["env/pyvenv.cfg", "env/x.py"],
     ["src/metrics/node_modules/a.js"], ["htmlcov/index.html"], [".coverage.host.1"], [".cache/a"],
     ["ours.egg-info/PKG-INFO"], ["notes/CACHEDIR.TAG", "notes/a.py"]],
)  # fmt: skip
def test_what_tools_write_into_a_package_that_is_a_folder_does_not_count(tmp_path: Path, files: list[str]) -> None:
    lock, ours = tmp_path / "app/uv.lock", tmp_path / "ours"
    for folder in (lock.parent, ours / "src/metrics"):
        folder.mkdir(parents=True)
    lock.write_text(OTHER_SOURCES)
    (ours / "src/metrics/env").mkdir()
    (ours / "src/metrics/env/__init__.py").write_text("X = 1")
    before = content(lock)

    for file in files:
        (ours / file).parent.mkdir(parents=True, exist_ok=True)
        (ours / file).write_text("made")
    assert content(lock) == before

    (ours / "src/metrics/env/__init__.py").write_text("X = 2")
    assert content(lock) != before, "a module called env is none of them"


def content(lock: Path) -> dict[str, str]:
    return closure(lock, "metrics")


@pytest.mark.parametrize(
    "file", ["src/metrics/build/a.py", "src/metrics/dist/a.py", "src/linked/a.py", "src/link/a.py"]
)
def test_every_module_of_a_package_that_is_a_folder_counts(tmp_path: Path, file: str) -> None:
    lock, ours = tmp_path / "app/uv.lock", tmp_path / "ours"
    for folder in (lock.parent, ours / "src/metrics", tmp_path / "shared"):
        folder.mkdir(parents=True)
    lock.write_text(OTHER_SOURCES)
    (ours / "src/link").symlink_to(tmp_path / "shared")
    (ours / "src/linked").symlink_to(ours / "src/metrics")
    (ours / "src/metrics/around").symlink_to(ours)
    (tmp_path / "shared/metrics").symlink_to(ours / "src/metrics")
    (ours / "src/metrics/shared").symlink_to(tmp_path / "shared")
    (ours / "gone").symlink_to(tmp_path / "nowhere")
    before = closure(lock, "metrics")

    (ours / file).parent.mkdir(exist_ok=True)
    (ours / file).write_text("X = 2")

    assert closure(lock, "metrics") != before


def test_a_folder_that_is_installed_as_a_copy_or_absent_is_an_error(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text('[[package]]\nname = "ours"\nversion = "1.0"\nsource = { directory = "our code" }\n')

    with pytest.raises(UserError, match=r"uv\.lock: ours: no folder .*/our code: put it there$"):
        closure(lock, "ours")
    (tmp_path / "our code").mkdir()
    for read in (lambda: closure(lock, "ours"), lambda: locked_packages.local_contents(lock)):
        with pytest.raises(UserError, match=r"uv\.lock: ours is installed as a copy of our code, .* `editable = true`"):
            read()


def test_a_project_without_modules_has_no_content(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text('[[package]]\nname = "ours"\nversion = "1.0"\nsource = { virtual = "ours" }\n')

    assert closure(lock, "ours") == {"ours": "1.0 virtual ours"}
    assert locked_packages.folders(lock) == {}


def test_what_packages_import_if_it_is_there_counts_if_it_is_locked(lock: Path) -> None:
    table = '[tool.modelmake.imports-if-there]\ntorch = ["left-alone", "not-locked"]\n"left-alone" = ["forked"]\n'
    lock.with_name("pyproject.toml").write_text(table)

    assert closure(lock, "torch") == {
        "blas-lib": "0.3", "forked": "1.0,2.0", "left-alone": "1.0", "numpy": "2.4.0", "torch": "2.13.0",
    }  # fmt: skip


def test_a_module_belongs_to_the_distribution_with_the_longest_name_that_is_its_own(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text("".join(f'[[package]]\nname = "{name}"\nversion = "1"\n' for name in ("ours", "ours-utils")))

    assert closure(lock, "ours.utils.text") == {"ours-utils": "1"}
    assert closure(lock, "ours.models") == {"ours": "1"}


WHEEL = """
[[package]]
name = "ours"
version = "1.0"
source = {{ registry = "{}" }}
wheels = [
    {{ {} }},
]
"""


def test_a_wheel_that_is_built_again_under_its_version_counts_where_the_index_is_not_pypi(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    versions = []
    for registry in ("https://ours.example/simple", "https://pypi.org/simple"):
        for content in ("a", "b"):
            lock.write_text(WHEEL.format(registry, f'url = "https://ours.example/o.whl", hash = "sha256:{content}"'))
            versions.append(locked_packages.closure(lock, {"ours": "stages.go"})["ours"])

    assert versions == [
        "1.0 registry https://ours.example/simple sha256:a", "1.0 registry https://ours.example/simple sha256:b",
        "1.0", "1.0",
    ]  # fmt: skip


def test_a_wheel_of_a_folder_of_which_the_lock_has_no_hash_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text(WHEEL.format("../wheels", 'path = "ours-1.0-py3-none-any.whl"'))

    message = r'uv\.lock: ours: of a folder of wheels, without hashes: want `ours = \{ path = "….whl" \}` in pyproject'
    with pytest.raises(UserError, match=message):
        locked_packages.closure(lock, {"ours": "stages.go"})
    assert locked_packages.closure(lock, {}) == {}
