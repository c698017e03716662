"""Modules of packages that a key lacks, and of folders that nothing locks, are found by what is loaded."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from modelmake.keys import loaded_packages, locked_packages
from tests.modelmake.conftest import StageProject

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "uv.lock"


def loaded(*names: str) -> dict[str, ModuleType]:
    for name in names:
        __import__(name)
    return {name: sys.modules[name] for name in names}


def test_a_distribution_that_the_packages_lack_is_found_whatever_its_modules_are_called() -> None:
    modules = loaded("yaml", "dateutil.tz", "google.protobuf.message", "ruamel.yaml", "msgspec", "json", "tqdm")

    assert loaded_packages.uncovered(LOCK, modules, ["msgspec"]) == [
        "protobuf", "python-dateutil", "pyyaml", "ruamel-yaml",
    ]  # fmt: skip


def test_a_package_that_is_not_locked_is_listed_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "msgspec"\nversion = "1"\n')

    assert loaded_packages.uncovered(tmp_path / "uv.lock", loaded("msgspec", "yaml"), ["msgspec"]) == ["yaml"]


def test_a_lazy_module_is_not_asked_for_what_it_has_not_loaded() -> None:
    class Lazy(ModuleType):
        def __getattr__(self, name: str) -> str:
            raise AssertionError(name)

    assert loaded_packages.uncovered(LOCK, {"lazy": Lazy("lazy")}, []) == []


def test_modules_in_folders_that_nothing_locks_are_found(tmp_path: Path) -> None:
    (tmp_path / "by_hand.py").touch()
    here = ModuleType("by_hand")
    here.__file__ = str(tmp_path / "by_hand.py")
    modules = {"by_hand": here, "stages.by_hand": here} | loaded("json", "msgspec")

    paths = [str(tmp_path), *sys.path]
    assert loaded_packages.elsewhere(LOCK, modules, paths, ("stages", "tests")) == [str(tmp_path / "by_hand.py")]
    assert loaded_packages.elsewhere(LOCK, {"by_hand": here}, paths, ("by_hand",)) == []


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        (
            "import importlib\nimportlib.import_module('ya' + 'ml')",
            "stages.shout: loaded pyyaml, which its key does not",
        ),
        (
            "import importlib\nimportlib.import_module('by_ha' + 'nd')",
            "by_hand.py: want modules of modelmake and stages",
        ),
        (
            "import runpy\nrunpy.run_path(Path(__file__).with_name('x' + '.py'))",
            "read stages/x.py, which is neither an input",
        ),
        (
            "import importlib.util, sys\n"
            "spec = importlib.util.spec_from_file_location('x', Path(__file__).with_name('x.py'))\n"
            "sys.modules['x'] = module = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(module)",
            "stages/x.py: want modules of modelmake and stages",
        ),
    ],
)
def test_a_stage_that_loads_what_its_key_lacks_is_refused(project: StageProject, code: str, refusal: str) -> None:
    project.write_stage(f"{code}\nloud.touch()\nreturn ''")
    (project.root / "by_hand.py").touch()
    (project.root / "stages/x.py").touch()

    code, out, err = project.run()

    assert (code, out, project.published()) == (1, "", {})
    assert refusal in err


def test_what_a_library_imports_if_it_is_there_is_in_the_key(project: StageProject) -> None:
    """pyarrow imports pandas, and that pytz."""
    project.write_stage("import pyarrow.compute\npyarrow.array([1]).to_pandas()\nloud.touch()\nreturn ''")

    assert project.run() == (0, "stages.shout: \n", "")
    assert {"numpy", "pandas", "pytz"} <= locked_packages.closure(LOCK, {"pyarrow": "stages.shout"}).keys()
    assert {"bitsandbytes", "scipy"} <= locked_packages.closure(LOCK, {"peft": "stages.train"}).keys()


def test_a_module_of_a_package_that_is_a_folder_belongs_to_it(tmp_path: Path) -> None:
    (tmp_path / "app/uv.lock").parent.mkdir()
    (tmp_path / "app/uv.lock").write_text(
        '[[package]]\nname = "our-metrics"\nversion = "1"\nsource = { editable = "../ours" }\n'
    )
    module = ModuleType("metrics")
    module.__file__ = str(tmp_path.resolve() / "ours/src/metrics/__init__.py")

    modules, lock = {"metrics": module}, tmp_path / "app/uv.lock"
    assert loaded_packages.uncovered(lock, modules, []) == ["our-metrics"]
    assert loaded_packages.uncovered(lock, modules, ["our-metrics"]) == []
    assert loaded_packages.elsewhere(lock, modules, [str(tmp_path)], ()) == []

    (tmp_path / "ours/src/metrics").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "ours")
    module.__file__ = str(tmp_path / "link/src/metrics/__init__.py")
    assert loaded_packages.uncovered(lock, modules, []) == ["our-metrics"]
    assert loaded_packages.elsewhere(lock, modules, [str(tmp_path / "link")], ()) == []


def test_an_installed_copy_of_a_package_that_is_a_folder_is_found(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    source = 'version = "1"\nsource = { editable = "yaml" }\n'
    lock.write_text(f'[[package]]\nname = "pyyaml"\n{source}[[package]]\nname = "ours"\n{source}')

    assert loaded_packages.copies(lock, loaded("yaml", "msgspec")) == ["pyyaml"]
    assert loaded_packages.copies(LOCK, loaded("yaml", "msgspec")) == []


def test_a_wheel_with_a_module_in_the_namespace_of_a_folder_is_no_copy_of_it(tmp_path: Path, monkeypatch) -> None:
    """Its list of files says whose it is, whatever it is called."""
    lock, site = tmp_path / "uv.lock", tmp_path / "site"
    lock.write_text(
        '[[package]]\nname = "ours"\nversion = "1"\nsource = { editable = "ours" }\n'
        '[[package]]\nname = "our-helpers"\nversion = "1"\n'
    )
    (site / "our_helpers-1.dist-info").mkdir(parents=True)
    (site / "our_helpers-1.dist-info/RECORD").write_text("ours/utils/__init__.py,,\n")
    (site / "ours/utils").mkdir(parents=True)
    (site / "ours/utils/__init__.py").touch()
    module = ModuleType("ours.utils")
    module.__file__ = str(site / "ours/utils/__init__.py")
    monkeypatch.setattr(loaded_packages, "INSTALLED", (f"{site}/",))
    monkeypatch.syspath_prepend(site)
    locked_packages._installed.cache_clear()

    assert loaded_packages.copies(lock, {"ours.utils": module}) == []
    assert loaded_packages.uncovered(lock, {"ours.utils": module}, []) == ["our-helpers"]


def test_a_module_that_a_finder_brings_from_outside_of_sys_path_is_found(tmp_path: Path) -> None:
    file = tmp_path / "ours.py"
    file.touch()
    spec = importlib.util.spec_from_file_location("ours", file)
    modules = {"ours": importlib.util.module_from_spec(spec)} | loaded("json", "msgspec", "torch")

    assert loaded_packages.elsewhere(LOCK, modules, [], ()) == [str(file)]

    generated = ModuleType("generated")  # as compilers of kernels do
    generated.__file__ = str(file)
    assert loaded_packages.elsewhere(LOCK, {"generated": generated}, [], ()) == []
