"""Of the harness a stage's key has what decides; all of it where the stage reaches into the harness by its own code."""

from pathlib import Path

import pytest

from modelmake.keys.carrying import Cut
from modelmake.keys.reach import Reached, reach

CUT = Cut(
    {"modelmake.harness.run": "", "modelmake.watch.begin": ""},
    {"modelmake.call.call": ""},
    {"modelmake.harness": "", "modelmake.hashes": "", "modelmake.watch": ""},
)
FILES = {
    "modelmake/__init__.py": "",
    "modelmake/harness.py": "import psutil\nfrom modelmake import call, hashes\n\nLIMIT = 3\n\n\ndef run(main):\n"
    "    print(hashes.md5(call.call(main)))\n",
    "modelmake/call.py": "import msgspec\nfrom modelmake import hashes\n\n\ndef call(main):\n"
    "    return main(hashes.md5(''))\n\n\ndef unused():\n    pass\n",
    "modelmake/hashes.py": "import xxhash\n\n\ndef md5(x):\n    return x\n\n\ndef other(x):\n    return x\n",
    "modelmake/watch.py": "import watchdog\n\n\ndef begin():\n    pass\n",
    "stages/__init__.py": "from modelmake import watch\n\nwatch.begin()\n",
}
STAGE = (
    "from modelmake import harness\n{imports}\n\ndef main(x):\n    return {returned}\n\n\nif __name__ == '__main__':\n"
)
STAGE += "    harness.run(main)\n"
DECIDES = {"modelmake", "modelmake.call", "stages", "stages.a"}
WHOLE = {*DECIDES, "modelmake.harness", "modelmake.hashes", "modelmake.watch"}


def reached(tree: Path, returned: str, imports: str = "") -> Reached:
    for name, text in {**FILES, "stages/a.py": STAGE.format(returned=returned, imports=imports)}.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return reach(tree, "stages.a", [], ("modelmake", "stages"), CUT)


def test_what_decides_is_reached_and_what_carries_is_not_with_its_packages(tmp_path: Path) -> None:
    result = reached(tmp_path, "x")

    assert set(result.symbols) == DECIDES
    assert set(result.symbols["modelmake.call"]) == {"", "call"}
    assert set(result.imports) == {"msgspec"}


def test_a_carrying_module_that_a_stage_itself_uses_counts_as_far_as_it_uses_it(tmp_path: Path) -> None:
    result = reached(tmp_path, "hashes.other(x)", "from modelmake import hashes")

    assert set(result.symbols) == {*DECIDES, "modelmake.hashes"}
    assert set(result.symbols["modelmake.hashes"]) == {"", "other"}
    assert set(result.imports) == {"msgspec", "xxhash"}


@pytest.mark.parametrize(
    ("returned", "imports"),
    [
        ("harness.LIMIT", ""),
        ("harness.hashes.md5(x)", ""),
        ("getattr(harness, 'LIM' + 'IT')", ""),
        ("LIMIT", "from modelmake.harness import LIMIT"),
        ("LIMIT", "from modelmake.harness import *"),
        ("h.LIMIT", "import modelmake.harness as h"),
        ("modelmake.harness.LIMIT", "import modelmake.harness"),
        ("vars(modelmake)['harness']", "import modelmake"),
        ("sys.modules['modelmake.harness']", "import sys"),
        ("importlib.import_module('modelmake.' + x)", "import importlib"),
        ("importlib.import_module('modelmake.harness').LIMIT", "import importlib"),
        ("importlib.import_module(f'modelmake.{x}')", "import importlib"),
        ("importlib.import_module(f'{x}.a')", "import importlib"),
        ("importlib.import_module(f'stages{x}')", "import importlib"),
        ("[importlib.import_module(f'stages.{x}'), importlib.import_module(x)]", "import importlib"),
        ("watch.__name__", "from modelmake import watch"),
        ("inspect.getsource(main)", "import inspect"),
    ],
)
def test_all_of_the_harness_counts_for_a_stage_that_reaches_into_it(
    tmp_path: Path, returned: str, imports: str
) -> None:
    result = reached(tmp_path, returned, imports)

    assert set(result.symbols) == WHOLE
    assert {"psutil", "xxhash", "watchdog"} <= set(result.imports)


def test_computed_names_in_another_package_lead_to_no_harness(tmp_path: Path) -> None:
    result = reached(tmp_path, "importlib.import_module(f'stages.{x}')", "import importlib")

    assert set(result.symbols) == DECIDES
    assert result.whole.keys() >= {"stages.a"}, "of the package itself every module counts whole"


def test_a_program_outside_the_harness_has_nothing_of_it(tmp_path: Path) -> None:
    reached(tmp_path, "x")
    (tmp_path / "stages/__init__.py").write_text("")
    (tmp_path / "stages/b.py").write_text("print(1)\n")

    assert set(reach(tmp_path, "stages.b", [], ("modelmake", "stages"), CUT).symbols) == {"stages", "stages.b"}
