"""What a run stood on: all that may change the bytes that the same code and inputs give."""

import json
import platform
import re
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from typing import Any

WIDE = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")  # what kernels choose their code by


def read(key_file: Path) -> dict[str, str]:
    """Of this process, which ran the stage of that key: platform, cpu, python, packages, device.

    No host, no clock, no path. It takes milliseconds: nothing is imported, no metadata is parsed. The device is the GPU
    that torch has used so far, else the CPU.
    """
    return {
        "platform": f"{sysconfig.get_platform()} {' '.join(platform.libc_ver())}".strip(),
        "cpu": _cpu(),
        "python": platform.python_version(),
        "packages": _packages(key_file),
        "device": _device(sys.modules.get("torch")),
    }


def short(stack: dict[str, str]) -> str:
    """For people."""
    device = "" if stack["device"] == "cpu" else f", {stack['device']}"
    return f"{stack['cpu'].partition(' (')[0]}{device}, {stack['platform'].partition(' ')[0]}"


@lru_cache(maxsize=1)
def _cpu() -> str:
    """Model and instruction sets: virtual machines often hide the model's name, and may hide instructions."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:  # macOS
        return platform.processor() or platform.machine()
    fields = dict(re.findall(r"^(.*?)\s*: (.*)$", text.split("\n\n")[0], re.MULTILINE))
    flags = fields.get("flags", fields.get("Features", "")).split()
    numbers = [f"{name} {fields[name]}" for name in ("cpu family", "model", "CPU part") if name in fields]
    told = [*numbers, *(flag for flag in WIDE if flag in flags)]
    return f"{fields.get('model name', platform.machine())} ({', '.join(told)})"


def _packages(key_file: Path) -> str:
    """Installed packages of the stage whose version is not simply the locked one that its key has: torch 2.13.0+cpu.

    Read from the names of folders; what the lock has for other platforms only is not there.
    """
    locked = json.loads(key_file.read_text()).get("packages", {}) if key_file.is_file() else {}
    installed = {}
    for found in Path(sysconfig.get_path("purelib")).glob("*.dist-info"):
        name, _, version = found.name.removesuffix(".dist-info").rpartition("-")
        installed[re.sub(r"[-_.]+", "-", name).lower()] = version
    other = [f"{name} {installed[name]}" for name in sorted(locked.keys() & installed.keys())
             if installed[name] != locked[name]]  # fmt: skip
    return ", ".join(other) or "as locked"


def _device(torch: Any) -> str:
    if torch is None or not torch.cuda.is_initialized():
        return "cpu"
    return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
