"""The platform of a run: everything outside of code and inputs that may change the bytes of its outputs."""

import platform
import re
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from typing import Any

from modelmake.keys import locked_packages
from modelmake.running import edited_packages, environment
from modelmake.running.library_folders import INSTALLED

Platform = dict[str, str]  # platform, cpu, python, packages, device
INSTRUCTION_SETS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")  # by which kernels are chosen


def read(key: dict[str, Any]) -> Platform:
    """The platform of this process, which ran the stage with that key: platform, cpu, python, packages, device.

    Where something is set that may change results: environment, too.
    No host name, clock or path. The device is the GPU that torch has used so far, else the CPU. Takes milliseconds:
    nothing is imported, and no metadata of packages is parsed.
    """
    described, edited = environment.describe(), [f"{name} edited" for name in edited_packages.names()]
    return {
        "platform": f"{sysconfig.get_platform()} {' '.join(platform.libc_ver())}".strip(),
        "cpu": processor(),
        "python": platform.python_version(),
        "packages": ", ".join([*other_versions(key.get("packages", {})), *edited]) or "as locked",
        "device": _device(sys.modules.get("torch")),
        **({"environment": described} if described else {}),
    }


def short(values: Platform) -> str:
    """Processor, GPU if one was used, and operating system, in a few words."""
    device = "" if values["device"] == "cpu" else f", {values['device']}"
    return f"{values['cpu'].partition(' (')[0]}{device}, {values['platform'].partition(' ')[0]}"


@lru_cache(maxsize=1)
def processor() -> str:
    """Model and instruction sets of the processor. Virtual machines often hide the model, and may hide instructions."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:  # macOS
        return platform.processor() or platform.machine()
    fields = dict(re.findall(r"^(.*?)\s*: (.*)$", text.split("\n\n")[0], re.MULTILINE))
    flags = fields.get("flags", fields.get("Features", "")).split()
    numbers = [f"{name} {fields[name]}" for name in ("cpu family", "model", "CPU part") if name in fields]
    details = [*numbers, *(flag for flag in INSTRUCTION_SETS if flag in flags)]
    return f"{fields.get('model name', platform.machine())} ({', '.join(details)})"


def other_versions(locked: dict[str, str]) -> list[str]:
    """Installed packages whose version differs from the locked one: `torch 2.13.0+cpu`.

    Versions are read from the names of folders. Locked packages that are not installed are for other platforms.
    """
    installed = {}
    for folder in (folder for path in reversed(INSTALLED) for folder in Path(path).glob("*.dist-info")):
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        installed[locked_packages.normalised(name)] = version
    return [f"{name} {installed[name]}" for name in sorted(locked.keys() & installed.keys())
            if installed[name] not in [one.partition(" ")[0] for one in locked[name].split(",")]]  # fmt: skip


def _device(torch: Any) -> str:
    if torch is None or not torch.cuda.is_initialized():
        return "cpu"
    return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
