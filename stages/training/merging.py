"""Adapters merged into the weights that they were trained on, and compared with what model and adapter compute."""

import importlib
from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from stages.params.weights import Quantization
from stages.training import task_types

PROBE_TOKENS = 64
# By task type. One score may be near 0, where rounding changes any share of it.
COMPARED = {"CAUSAL_LM": "logits", "SEQ_CLS": "hidden states"}
# Of the relative distance of what is compared: what rounding of merged weights to their dtype leaves, and hardly more.
LIMITS = {"torch.float32": 1e-4, "torch.bfloat16": 0.05, "torch.float16": 0.01}


def load(start: Path, quantization: Quantization | None, task_type: str) -> Any:
    """The model that the adapter was trained on, in its stored dtype; after QLoRA, with weights rounded to 4 bits."""
    if quantization:
        return importlib.import_module(quantization.modules()[0]).load_dequantized(start, quantization)
    return task_types.load(task_type, start, dtype="auto")


def merge(model: Any, adapter: Path) -> tuple[Any, int]:
    """Adds the adapter to the weights, in their own dtype. Returns the model and the number of modules changed.

    Raises:
        UserError: the merged model computes something else than model and adapter.
    """
    from peft import PeftModel
    from peft.utils.other import AuxiliaryTrainingWrapper  # of modules and tokens that were trained whole

    adapted = PeftModel.from_pretrained(model, str(adapter)).eval()
    changed = sum(
        1
        for module in adapted.modules()
        if isinstance(module, AuxiliaryTrainingWrapper) or (hasattr(module, "lora_A") and module.lora_A)
    )
    task_type = adapted.active_peft_config.task_type or "CAUSAL_LM"  # bare PEFT may name none
    compared, limit = COMPARED[task_type], LIMITS[str(model.dtype)]
    expected = probe(adapted, compared)
    merged = adapted.merge_and_unload(safe_merge=True)
    distance = (probe(merged, compared) - expected).norm() / expected.norm()
    if not distance <= limit:
        raise UserError(
            f"{adapter}: the merged model's {compared} differ by {distance:.2g} from those of model and adapter, "
            f"relative to their norm: want at most {limit:g} for {model.dtype}; train other modules, or all weights"
        )
    return merged, changed


def probe(model: Any, compared: str) -> Any:
    """The logits, or last hidden states, of a row of tokens from all over the vocabulary, in float32."""
    import torch

    vocabulary = model.get_input_embeddings().weight.shape[0]
    tokens = torch.linspace(0, vocabulary - 1, PROBE_TOKENS, device=model.device).long()[None]  # (1, T)
    with torch.no_grad():
        outputs = model(input_ids=tokens, output_hidden_states=compared == "hidden states")
    return (outputs.logits if compared == "logits" else outputs.hidden_states[-1]).float()
