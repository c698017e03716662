"""A platform names everything that may change bytes and nothing else: no host, no clock, no folder."""

import json
import platform
import socket
from importlib import metadata

import pytest

from modelmake.running import environment
from modelmake.running import platform as run_platform


def test_a_platform_names_system_processor_python_packages_and_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "describe", lambda: "")
    result = run_platform.read({"packages": {"numpy": metadata.version("numpy"), "not-here": "1.0"}})

    assert list(result) == ["platform", "cpu", "python", "packages", "device"]
    assert result["python"] == platform.python_version()
    assert platform.machine() in result["platform"]
    assert (result["packages"], result["device"]) == ("as locked", "cpu")
    assert result["cpu"] == run_platform.processor()
    assert socket.gethostname() not in json.dumps(result)
    monkeypatch.setattr(environment, "describe", lambda: "MKL_CBWR=AVX2")
    assert run_platform.read({}) | {"environment": "MKL_CBWR=AVX2"} == run_platform.read({})


def test_a_package_of_another_version_or_build_than_locked_is_named() -> None:
    numpy, yaml = metadata.version("numpy"), metadata.version("ruamel.yaml")

    assert (
        run_platform.read({"packages": {"numpy": "0.1", "ruamel-yaml": "0.1"}})["packages"]
        == f"numpy {numpy}, ruamel-yaml {yaml}"
    )


def test_the_short_form_names_the_processor_and_the_gpu_if_one_was_used() -> None:
    values = {"platform": "linux-x86_64 glibc 2.36", "cpu": "AMD EPYC (model 17, avx2)", "device": "cpu"}

    assert run_platform.short(values) == "AMD EPYC, linux-x86_64"
    assert run_platform.short(values | {"device": "H200, CUDA 12.8"}) == "AMD EPYC, H200, CUDA 12.8, linux-x86_64"
