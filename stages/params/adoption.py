"""Adoptions: adapters that were trained elsewhere, merged into a model of this graph; and whole models."""

from typing import ClassVar

from modelmake.params import Params
from stages.params.weights import Quantization


class Adoption(Params, rename={"from_": "from"}):
    """An adapter that PEFT saved, or a whole model."""

    section: ClassVar[str] = "adopt.{adopted}"

    from_: str  # the model that it was trained on: `base`, or another of this graph
    adapter: str  # its folder: adapter_config.json, adapter_model.safetensors; or that of a model: config.json, …
    quantization: Quantization | None  # of that model while the adapter was trained, as of QLoRA; null: none

    def starts(self) -> dict[str, str]:
        """{field: the model of this graph that it reads}."""
        return {"from": self.from_}

    def modules(self) -> list[str]:
        return self.quantization.modules() if self.quantization else []
