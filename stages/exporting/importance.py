"""How much each input of a layer matters: the mean of its square over calibration rows, as llama-imatrix measures it.

llama.cpp weighs errors of weights by it. Rows are rendered by the model's own chat template, which llama-imatrix does
not do. Embedding and output matrix are left out, as there.
"""

from pathlib import Path
from typing import Any, NamedTuple

import gguf
import numpy as np

from stages.exporting.gguf_writer import ARCHITECTURES
from stages.rows import jsonl, parts
from stages.rows.row import Content
from stages.training import chat_template, task_types


class Importance(NamedTuple):
    inputs: dict[str, np.ndarray]  # GGUF name of a matrix -> (weights in a row,) float32
    rows: int  # that were read
    cut: int  # of these, longer than the model's context


def measure(model: Path, calibration: Path) -> Importance:
    """Runs the folder `model` over the JSONL rows of `calibration`, in float32 on one thread of the CPU.

    So the same rows give the same bytes on every machine of a kind.

    Raises:
        UserError: the chat template refuses a row.
    """
    import torch
    from transformers import AutoTokenizer

    torch.set_num_threads(1)
    network = task_types.load("CAUSAL_LM", model, dtype="float32").eval()
    tokenizer, config = AutoTokenizer.from_pretrained(model), network.config
    encoded = [_ids(row.content, tokenizer) for row in jsonl.read(calibration)]
    sums: dict[str, Any] = {}

    def watch(name: str) -> Any:
        def add(_: Any, inputs: tuple[Any, ...]) -> None:
            sums[name] = sums.get(name, 0) + inputs[0].double().square().flatten(0, -2).sum(0)

        return add

    names = gguf.get_tensor_name_map(ARCHITECTURES[config.model_type], config.num_hidden_layers)
    for path, layer in network.named_modules():
        name = names.get_name(f"{path}.weight", try_suffixes=(".weight",))
        if isinstance(layer, torch.nn.Linear) and name and name.startswith("blk."):
            layer.register_forward_pre_hook(watch(name))
    context = config.max_position_embeddings
    with torch.inference_mode():
        for ids in encoded:
            network(input_ids=torch.tensor([ids[:context]]), use_cache=False, logits_to_keep=1)
    tokens = sum(min(len(ids), context) for ids in encoded)
    means = {name: (total / tokens).float().numpy() for name, total in sorted(sums.items())}
    return Importance(means, len(encoded), sum(len(ids) > context for ids in encoded))


def _ids(content: Content, tokenizer: Any) -> list[int]:
    split = parts.split(content)
    if split.text:
        return tokenizer(split.text)["input_ids"]
    text = chat_template.render(tokenizer, [*split.prompt, *split.answer], split.tools).text
    return tokenizer(text, add_special_tokens=False)["input_ids"]
