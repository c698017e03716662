"""Variables that change results are told, and refused where they contradict the parameters."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from modelmake.errors import UserError
from modelmake.running import environment
from tests.conftest import ROOT
from tests.modelmake.conftest import SHOUT, StageProject

CUDA, CPU = SimpleNamespace(device="cuda"), SimpleNamespace(device="cpu")


@pytest.mark.parametrize(
    ("variables", "machine", "problem"),
    [
        ({"CUDA_VISIBLE_DEVICES": ""}, CUDA,
         "CUDA_VISIBLE_DEVICES=: hides the GPU, and machine.device is cuda: unset it"),
        ({"NVIDIA_TF32_OVERRIDE": "1"}, CPU, "NVIDIA_TF32_OVERRIDE=1: machine.dtype says the arithmetic: unset it"),
        ({"WORLD_SIZE": "2"}, None, "WORLD_SIZE=2: a model is trained in one process: unset it"),
        ({"PMI_SIZE": "4"}, CPU, "PMI_SIZE=4: a model is trained in one process: unset it"),
        ({"LOCAL_RANK": "0"}, CPU, "LOCAL_RANK=0: a model is trained in one process: unset it"),
        ({"RANK": "1", "WORLD_SIZE": "1"}, CPU, "RANK=1: a model is trained in one process: unset it"),
        ({"FSDP_OFFLOAD_PARAMS": "true"}, CPU, "FSDP_OFFLOAD_PARAMS=true: a model is trained on one device: unset it"),
        ({"ACCELERATE_MIXED_PRECISION": "fp16"}, CPU,
         "ACCELERATE_MIXED_PRECISION=fp16: machine and train say how a model is trained: unset it"),
    ],
)  # fmt: skip
def test_a_variable_that_contradicts_the_parameters_is_refused(variables: dict, machine: object, problem: str) -> None:
    with pytest.raises(UserError) as error:
        environment.check("train@sft", machine, variables)

    assert str(error.value) == f"train@sft: {problem}"


def test_variables_that_contradict_nothing_are_not_refused() -> None:
    environment.check("train@sft", CPU, {"CUDA_VISIBLE_DEVICES": "", "RANKING": "1", "OMP_NUM_THREADS": "64"})
    environment.check("train@sft", CUDA, {"CUDA_VISIBLE_DEVICES": "0"})


@pytest.mark.parametrize(
    "variables",
    [
        {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "-1"},  # as operators of clusters set them for one process
        {"PMI_SIZE": "1", "OMPI_COMM_WORLD_SIZE": "1", "MV2_COMM_WORLD_SIZE": "1", "PMI_RANK": "0"},  # as `srun -n1`
        {"ACCELERATE_LOG_LEVEL": "info", "ACCELERATE_ENABLE_RICH": "1"},
        {"ACCELERATE_MIXED_PRECISION": "no", "ACCELERATE_USE_CPU": "False", "ACCELERATE_DEBUG_MODE": "0"},
        {"NVIDIA_TF32_OVERRIDE": "0", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "0"},
    ],
)
def test_a_value_that_says_what_the_parameters_say_is_not_refused(variables: dict[str, str]) -> None:
    environment.check("train@sft", CUDA, variables)


def test_one_process_of_accelerate_is_what_the_harmless_values_make(monkeypatch: pytest.MonkeyPatch) -> None:
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType

    def kind(name: str, value: str) -> str:
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            return PartialState()._prepare_backend(cpu=True)[1]

    for pattern, (_, values) in environment.CONTRADICTING.items():
        for value in values if pattern.endswith(("RANK", "SIZE")) else ():
            assert kind(pattern, value) == DistributedType.NO, pattern
    assert kind("LOCAL_RANK", "0") == DistributedType.MULTI_CPU, "harmless now? then it is a value to allow"


def test_code_of_another_folder_than_the_one_whose_key_counts_is_refused(project: StageProject, tmp_path: Path) -> None:
    """The key would be of the files here. Python finds others if PYTHONSAFEPATH hides this folder from it."""
    project.write_stage(SHOUT)
    other = tmp_path / "other"
    shutil.copytree(project.root, other, ignore=shutil.ignore_patterns("other"))
    found = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONPATH": str(other)}

    process = subprocess.run(project.command, cwd=project.root, env=found, capture_output=True, text=True)

    assert process.returncode == 1
    assert process.stderr == (
        f"stages.shout: runs the code in {other}, not that of {project.root}: unset PYTHONSAFEPATH, or work there\n"
    )
    assert not project.published()


def test_what_changes_results_is_described_without_paths_and_without_what_a_stage_sets_itself() -> None:
    variables = {
        "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "CUBLAS_WORKSPACE_CONFIG": ":4096:8", "HOME": "/root",
        "PYTHONPATH": "/a/path", "ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2", "PYTHONHASHSEED": "3",
    }  # fmt: skip

    assert environment.describe(variables, []) == "ATEN_CPU_CAPABILITY=avx2 MKL_CBWR=AVX2 PYTHONHASHSEED=3 PYTHONPATH"
    own = [file.stem for file in (ROOT / "modelmake/dvc/installed").glob("*.py")]
    assert own, "what a .pth file loads is in that folder"
    assert environment.describe({}, [*own, "os", "re", "_distutils_hack", "pytest", "pytest.x"]) == "pytest"
    assert environment.describe({}, []) == ""


def test_libraries_that_are_loaded_in_the_place_of_others_and_their_threads_are_described() -> None:
    variables = {
        "LD_PRELOAD": "/opt/libiomp5.so", "LD_LIBRARY_PATH": "/opt", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2_Usable",
        "NUMBA_NUM_THREADS": "2", "RAYON_NUM_THREADS": "2", "MKL_NUM_THREADS": "8", "OPENBLAS_NUM_THREADS": "8",
        "SOURCE_DATE_EPOCH": "0", "LLAMA_ARG_CTX_SIZE": "512", "LANG": "C.UTF-8", "HF_TOKEN": "secret",
    }  # fmt: skip

    assert environment.describe(variables, []) == (
        "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2_Usable LD_LIBRARY_PATH LD_PRELOAD LLAMA_ARG_CTX_SIZE=512 "
        "NUMBA_NUM_THREADS=2 RAYON_NUM_THREADS=2 SOURCE_DATE_EPOCH=0"
    )


def test_assertions_that_are_left_out_are_refused(project: StageProject) -> None:
    project.write_stage(SHOUT)
    command = [project.command[0], "-O", *project.command[1:]]

    process = subprocess.run(command, cwd=project.root, capture_output=True, text=True)

    assert process.returncode == 1
    assert process.stderr == (
        "stages.shout: PYTHONOPTIMIZE (or python -O): leaves assertions out of the code: unset it\n"
    )


def test_times_without_a_zone_are_those_of_utc_in_a_stage() -> None:
    script = "import sys; sys.argv[0] = '-m'; import stages, time; print(time.tzname[0], time.localtime(0).tm_hour)"
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={"TZ": "Asia/Tokyo", "PATH": "/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert process.stdout == "UTC 0\n"
