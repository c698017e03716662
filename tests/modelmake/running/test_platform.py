"""A stack names what may change bytes, and nothing that may not: no host, no clock, no folder."""

import json
import platform
import socket
import time
from importlib import metadata
from pathlib import Path

from modelmake.running import platform as stack


def test_it_names_platform_processor_python_packages_and_device(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text(json.dumps({"packages": {"numpy": metadata.version("numpy"), "not-here": "1.0"}}))
    found = stack.read(key)

    assert list(found) == ["platform", "cpu", "python", "packages", "device"]
    assert found["python"] == platform.python_version()
    assert platform.machine() in found["platform"]
    assert (found["packages"], found["device"]) == ("as locked", "cpu")
    assert socket.gethostname() not in json.dumps(found)


def test_a_package_of_another_version_or_build_than_locked_is_named(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text(json.dumps({"packages": {"numpy": "0.1", "ruamel-yaml": "0.1"}}))

    numpy, yaml = metadata.version("numpy"), metadata.version("ruamel.yaml")
    assert stack.read(key)["packages"] == f"numpy {numpy}, ruamel-yaml {yaml}"


def test_it_costs_a_stage_next_to_nothing() -> None:
    started = time.process_time()
    stack.read(Path("nothing.json"))

    assert time.process_time() - started < 0.1


def test_people_read_the_processor_and_the_gpu_if_one_was_used() -> None:
    found = {"platform": "linux-x86_64 glibc 2.36", "cpu": "AMD EPYC (model 17, avx2)", "device": "cpu"}

    assert stack.short(found) == "AMD EPYC, linux-x86_64"
    assert stack.short(found | {"device": "H200, CUDA 12.8"}) == "AMD EPYC, H200, CUDA 12.8, linux-x86_64"
