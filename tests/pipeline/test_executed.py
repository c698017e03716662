"""Every function that a stage calls is in its key, but for what carries: reading the code misses nothing that runs."""

import pytest

from modelmake.keys.carrying import CUT
from tests import watched_build
from tests.conftest import Project
from tests.modelmake.keys.test_carrying import CALLED_BY_CARRYING_CODE


@pytest.mark.slow
def test_every_function_that_ran_is_in_the_key_of_its_stage(watched: Project) -> None:
    calls = watched_build.calls(watched)
    calls.pop("preflight")
    key_files = {file.stem for file in (watched.path / "keys").iterdir()} - {"graph", "needs"}
    assert {stage.replace("@", ".") for stage in calls} == key_files, "every stage was watched"

    missed = []
    for stage, modules in calls.items():
        symbols = watched.json(f"keys/{stage.replace('@', '.')}.json")["symbols"]
        assert "main" in {name for names in modules.values() for name in names}
        for module, names in modules.items():
            tops = {name.partition(".")[0] for name in names}
            named = {top for top in tops if top[0] != "<"} - symbols.get(module, {}).keys()
            uncarried = named if not CUT.carries(module) else ()
            missed += [(stage, module, t) for t in uncarried if f"{module}.{t}" not in CALLED_BY_CARRYING_CODE]
    assert not missed
