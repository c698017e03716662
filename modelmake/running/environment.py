"""Variables of the environment, and of Python itself, that change results and are in no key.

A stage is refused where one of them contradicts its parameters, or runs other code than its key holds. The others are
in the run log, and so in what `modelmake verify` compares.
"""

import locale
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType
from typing import Any

from modelmake.errors import UserError
from modelmake.keys.stage_key import FIRST_PARTY
from modelmake.running import opened_files
from modelmake.running.library_folders import STANDARD

# Variables by their prefixes: kernels, precision, compilers, random order, dates, and which libraries are loaded.
CHANGING = (
    "ARROW_", "ATEN_CPU_CAPABILITY", "BLIS_", "BNB_", "CUBLAS", "CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES", "CUDNN_",
    "DISABLE_ADDMM_CUDA_LT", "DNNL_", "DYLD_", "GGML_", "GLIBC_TUNABLES", "HSA_", "KMP_", "LD_LIBRARY_PATH",
    "LD_PRELOAD", "LLAMA_", "MKL_", "NCCL_", "NPY_", "NUMBA_", "NVIDIA_TF32_OVERRIDE", "OMP_", "ONEDNN_", "OPENBLAS_",
    "PYTHONHASHSEED", "PYTHONPATH", "PYTORCH_", "RAYON_", "SOURCE_DATE_EPOCH", "TORCH", "TRITON_", "VECLIB_",
)  # fmt: skip
# By `threads`; OpenBLAS, MKL and OpenMP have the number of threads in `machine`.
SET_HERE = (
    "CUBLAS_WORKSPACE_CONFIG", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS",
)  # fmt: skip
PATHS = ("DYLD_", "LD_", "PYTHONPATH")  # named without their values, by their prefixes
OFF = ("", "0", "false", "no")  # in any case
ONE_PROCESS, ARITHMETIC = "a model is trained in one process", "machine.dtype says the arithmetic"
# What decides training in the place of parameters: {pattern: (the parameter that says it, values that say the same)}.
CONTRADICTING = {
    "ACCELERATE_*": ("machine and train say how a model is trained", OFF),
    "FSDP_*": ("a model is trained on one device", OFF),
    "LOCAL_RANK": (ONE_PROCESS, ("-1",)),  # with 0 accelerate starts a group of processes
    "MV2_COMM_WORLD_SIZE": (ONE_PROCESS, ("1",)),
    "NVIDIA_TF32_OVERRIDE": (ARITHMETIC, ("0",)),
    "OMPI_COMM_WORLD_SIZE": (ONE_PROCESS, ("1",)),
    "PMI_SIZE": (ONE_PROCESS, ("1",)),
    "RANK": (ONE_PROCESS, ("0",)),
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": (ARITHMETIC, ("0",)),
    "WORLD_SIZE": (ONE_PROCESS, ("1",)),
}
WORDS = ("ACCELERATE_ENABLE_RICH", "ACCELERATE_LOG_LEVEL")  # what is printed
OWN = ("_distutils_hack", "dvc_lock_is_whole", "dvc_repro_tells")  # loaded by .pth files of what uv.lock installs


def check(stage: str, machine: Any, variables: Mapping[str, str] = os.environ) -> None:
    """Raises a UserError with all that contradicts the parameters in `machine`, a line each."""
    problems = [
        f"{name}={variables[name]}: {why}: unset it"
        for name in sorted(variables) for pattern, (why, harmless) in CONTRADICTING.items()
        if fnmatchcase(name, pattern) and variables[name].lower() not in harmless and name not in WORDS
    ]  # fmt: skip
    visible = variables.get("CUDA_VISIBLE_DEVICES")
    if getattr(machine, "device", "cpu") == "cuda" and visible is not None and visible.strip() in ("", "-1"):
        problems.append(f"CUDA_VISIBLE_DEVICES={visible}: hides the GPU, and machine.device is cuda: unset it")
    if sys.flags.optimize:
        problems.append("PYTHONOPTIMIZE (or python -O): leaves assertions out of the code: unset it")
    if not sys.flags.utf8_mode and locale.getencoding().lower().replace("-", "") != "utf8":
        problems.append(f"texts are read as {locale.getencoding()} here: want UTF-8; set PYTHONUTF8=1")
    problems += _elsewhere()
    if problems:
        raise UserError("\n".join(f"{stage}: {problem}" for problem in problems))


def _elsewhere() -> Iterator[str]:
    """Whether Python runs the project's code from another folder than the one whose files are in the key."""
    here = Path.cwd()
    found = {
        Path(file).parents[1] for name in FIRST_PARTY if (file := getattr(sys.modules.get(name), "__file__", None))
    }
    for folder in sorted(found):
        if not folder.samefile(here):
            yield f"runs the code in {folder}, not that of {here}: unset PYTHONSAFEPATH, or work there"


def describe(
    variables: Mapping[str, str] = opened_files.variables_at_start,
    modules: Iterable[str] = opened_files.modules_at_start,
) -> str:
    """What may change results: variables that are set, and modules that Python loads before a stage; "" if none."""
    shown = (name for name in sorted(variables) if name.startswith(CHANGING) and name not in SET_HERE)
    words = [name if name.startswith(PATHS) else f"{name}={variables[name]}" for name in shown]
    return " ".join([*words, *_loaded_before(modules)])


def _loaded_before(modules: Iterable[str]) -> Iterator[str]:
    """The modules that .pth files or a sitecustomize loaded."""
    for name in sorted({name.partition(".")[0] for name in modules}):
        module = sys.modules.get(name, ModuleType(name))
        file = getattr(module, "__dict__", {}).get("__file__")
        installed = isinstance(file, str) and ("-packages" in file or not file.startswith(STANDARD))
        if installed and name not in (*OWN, "__main__", "modelmake", "stages"):
            yield name
