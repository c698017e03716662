"""The tests find what the answer defines by its name, and nothing that Python itself reads."""

import builtins
import importlib.util
import sys
from types import ModuleType

import pytest

from stages.evaluating.running_code.boundary import TESTS
from tests.conftest import ROOT


@pytest.fixture
def judging(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program of the tests' box, as a module."""
    path = ROOT / TESTS
    monkeypatch.syspath_prepend(str(path.parent))
    for name in ("answer", "channel"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))  # put back at the end
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location("judging", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_names_of_python_stay_those_of_the_tests_whatever_is_said_to_be_defined(judging: ModuleType) -> None:
    judge, said = judging.Tests(None), {"seven": 8, "__builtins__": {"abs": 0}, "__name__": "x", "abs": 0, 3: 4}

    names = judge._names(said, solution="")

    assert names == {"seven": 8}
    judge._run(f"assert __name__ == 'tests' and abs({-7}) == seven - 1 and __builtins__ is builtins", {
        **names, "builtins": builtins, "__builtins__": {}, "__name__": "x",
    })  # fmt: skip
    assert judge._names(said, solution="def abs(x):\n    return x\n") == {"seven": 8, "abs": 0}
