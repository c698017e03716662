"""A GPU that is declared and not there ends a stage in one line, before a model is loaded."""

from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.evaluating.runtimes import compressed_tensors, transformers
from stages.params.machine import Machine
from stages.training import device

ON_GPU = {"batch_size": 1, "device": "cuda", "dtype": "float32", "checkpoint": Path("unused")}


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize(
    "start",
    [
        lambda: device.prepare(Machine("cuda", "float32", 1)),
        lambda: transformers.generate(Path("no model"), [], max_new_tokens=1, **ON_GPU),
        lambda: transformers.text_likelihoods(Path("no model"), [], context_tokens=1, **ON_GPU),
        lambda: compressed_tensors.generate(Path("no model"), [], max_new_tokens=1, **ON_GPU),
    ],
    ids=["training", "answers", "likelihoods", "quantized"],
)
def test_whatever_uses_it_says_so(start) -> None:
    with pytest.raises(UserError, match=r"^params.yaml: machine.device = 'cuda': torch sees no GPU here; want one, or"):
        start()


def test_the_cpu_is_always_there() -> None:
    device.check("cpu", "bfloat16")
