"""The other trainers' own parsers take what is exported. Their packages are installed beside this project's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.translating import exported

pytestmark = pytest.mark.slow
PACKAGES = {  # without what they share with this project
    "axolotl": ["axolotl==0.19.0", "pillow==12.0.0"],
    "llamafactory": [
        "llamafactory==0.9.5", "transformers==5.6.0", "tokenizers==0.22.2", "huggingface-hub==1.16.0",
        "accelerate==1.11.0", "peft==0.18.1", "trl==0.24.0", "datasets==4.0.0", "omegaconf==2.3.0",
        "antlr4-python3-runtime==4.9.3",
    ],
    "torchtune": [
        "torchtune==0.6.1", "torchao==0.14.1", "sentencepiece==0.2.1", "tiktoken==0.12.0", "blobfile==3.1.0",
        "kagglehub==0.3.13", "pillow==12.0.0", "omegaconf==2.3.0", "antlr4-python3-runtime==4.9.3", "lxml==6.0.2",
        "pycryptodomex==3.23.0",
    ],
}  # fmt: skip
PARSERS = {
    "axolotl": """
import sys, yaml
from axolotl.utils.schemas.config import AxolotlConfigWCapabilities as Config
Config(
    **yaml.safe_load(open("axolotl.yaml")), env_capabilities={"torch_version": "2.9.0"},
    capabilities={"bf16": True, "n_gpu": 1, "compute_capability": "sm_90"},
)
known = {*Config.model_fields}
assert not (unknown := yaml.safe_load(open("axolotl.yaml")).keys() - known), unknown
""",
    "llamafactory": """
import yaml
from datasets import load_from_disk
from llamafactory.hparams.parser import get_train_args
get_train_args(yaml.safe_load(open("llamafactory.yaml")))
assert len(load_from_disk("rows")["train"]) > 0
""",
    "torchtune": """
from omegaconf import OmegaConf
from torchtune import config
config.validate(OmegaConf.load("torchtune.yaml"))
""",
}
CASES = [
    ("axolotl", "default", "sft", []),
    ("axolotl", "llama3_1_8b", "sft", []),
    ("axolotl", "smollm2_135m_cpt_sft_dpo", "cpt", ["packing"]),
    ("llamafactory", "default", "sft", []),
    ("llamafactory", "llama3_1_8b", "sft", []),
    ("llamafactory", "smollm2_135m_cpt_sft_dpo", "cpt", ["packing"]),
    ("llamafactory", "smollm2_135m_cpt_sft_dpo", "dpo", []),
    ("torchtune", "default", "sft", ["chat_template"]),
    ("torchtune", "qwen3_0_6b", "sft", ["chat_template"]),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory):
    folders: dict[str, Path] = {}

    def install(tool: str) -> Path:
        if tool not in folders:
            if not shutil.which("uv"):
                pytest.skip("its parser is installed by uv, which is not here")
            folder = tmp_path_factory.mktemp(tool)
            command = ["uv", "pip", "install", "-q", "--no-deps", "--python", sys.executable, "--target", str(folder)]
            done = subprocess.run([*command, *PACKAGES[tool]], capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"{tool}'s parser could not be installed: {done.stderr.strip().splitlines()[-1]}")
            folders[tool] = folder
        return folders[tool]

    return install


@pytest.mark.parametrize(("tool", "recipe", "step", "accept"), CASES, ids=[" ".join(case[:3]) for case in CASES])
def test_the_tools_own_parser_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed, tool: str, recipe: str, step: str, accept: list[str]
) -> None:
    packages = installed(tool)
    repo = "meta-llama/Llama-3.2-1B-Instruct" if tool == "torchtune" else ""
    cpu = {"machine": {"device": "cpu", "dtype": "float32", "threads": 1}} if tool == "llamafactory" else {}
    exported.project(tmp_path, recipe, repo, **cpu)
    monkeypatch.chdir(tmp_path)
    folder = exported.run(tmp_path, step, tool, *accept)

    environment = {**os.environ, "PYTHONPATH": str(packages), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", PARSERS[tool]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr[-2000:]
