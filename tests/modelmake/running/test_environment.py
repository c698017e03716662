"""Variables that change results are told, and refused where they contradict the parameters."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from modelmake.errors import UserError
from modelmake.running import environment
from tests.modelmake.conftest import SHOUT, StageProject

CUDA, CPU = SimpleNamespace(device="cuda"), SimpleNamespace(device="cpu")


@pytest.mark.parametrize(
    ("variables", "machine", "problem"),
    [
        ({"CUDA_VISIBLE_DEVICES": ""}, CUDA,
         "CUDA_VISIBLE_DEVICES=: hides the GPU, and machine.device is cuda: unset it"),
        ({"NVIDIA_TF32_OVERRIDE": "1"}, CPU, "NVIDIA_TF32_OVERRIDE=1: machine.dtype says the arithmetic: unset it"),
        ({"WORLD_SIZE": "2"}, None, "WORLD_SIZE=2: a model is trained in one process: unset it"),
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


def test_what_changes_results_is_described_without_paths_and_without_what_a_stage_sets_itself() -> None:
    variables = {
        "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "CUBLAS_WORKSPACE_CONFIG": ":4096:8", "HOME": "/root",
        "PYTHONPATH": "/a/path", "ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2", "PYTHONHASHSEED": "3",
    }  # fmt: skip

    assert environment.describe(variables, []) == "ATEN_CPU_CAPABILITY=avx2 MKL_CBWR=AVX2 PYTHONHASHSEED=3 PYTHONPATH"
    assert environment.describe({}, ["os", "re", "_distutils_hack", "pytest", "pytest.x"]) == "pytest"
    assert environment.describe({}, []) == ""


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
        [sys.executable, "-c", script], cwd=Path(__file__).parents[3], env={"TZ": "Asia/Tokyo", "PATH": "/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert process.stdout == "UTC 0\n"
