"""Logits with transformers of tokens that are there already."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.evaluating.forced import Forced
from stages.training.device import check as check_device

if TYPE_CHECKING:
    import numpy as np


@contextlib.contextmanager
def reading(model: Path, *, longest: int, device: str, dtype: str) -> Iterator["Reader"]:
    """A reader of conversations of at most `longest` tokens by the model of a folder.

    Raises:
        UserError: the device is not there.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    check_device(device, dtype)
    logging.disable_progress_bar()  # of loading weights
    network = AutoModelForCausalLM.from_pretrained(model, dtype=dtype, device_map=device).eval()
    with torch.inference_mode():
        yield Reader(network)


class Reader:
    """See `forced.Reader`."""

    def __init__(self, network: Any) -> None:
        self._network, self.vocab = network, network.config.get_text_config().vocab_size

    def logits(self, forced: Forced) -> Iterator["np.ndarray"]:
        import torch

        cache = None
        for piece in forced.pieces(self.vocab):
            ids, outputs = (torch.tensor(of, device=self._network.device) for of in (piece.ids, piece.outputs))
            output = self._network(input_ids=ids[None], past_key_values=cache, use_cache=True, logits_to_keep=outputs)
            cache, logits = output.past_key_values, output.logits[0]  # (t, V)
            yield (logits if len(logits) == len(outputs) else logits[outputs]).float().cpu().numpy()
