"""Rotary position embeddings (Su et al. 2021, arXiv:2104.09864) of models that train on CPUs, by halves.

transformers makes a turned copy of queries and keys, whose gradient torch puts together from pieces of zeros. The same
rotation in two halves, back by the opposite angle for the gradient, needs six operations instead of fourteen.
"""

import functools
from typing import Any

# Models whose two halves of a head turn by the same angles; tests/training/test_rotary.py proves each.
PLAIN = {"llama", "mistral", "qwen2", "qwen3", "smollm3"}


def shorten(model: Any) -> None:
    """Has models of this one's kind rotate by `Rotation`, from here on, whatever is float32 on a CPU and trains."""
    from transformers import models

    kind = model.config.model_type
    if kind not in PLAIN:
        return
    module = getattr(getattr(models, kind), f"modeling_{kind}")
    usual = module.apply_rotary_pos_emb
    if not hasattr(usual, "usual"):
        module.apply_rotary_pos_emb = functools.update_wrapper(functools.partial(_rotate, usual), usual)
        module.apply_rotary_pos_emb.usual = usual


def _rotate(usual: Any, q: Any, k: Any, cos: Any, sin: Any, unsqueeze_dim: int = 1) -> tuple[Any, Any]:
    """Queries and keys (B, heads, T, D), by cosines and sines (B, T, D) whose halves are equal."""
    import torch

    if q.device.type != "cpu" or q.dtype != torch.float32 or cos.dtype != torch.float32 or not q.requires_grad:
        return usual(q, k, cos, sin, unsqueeze_dim)
    cos, sin = cos.unsqueeze(unsqueeze_dim), sin.unsqueeze(unsqueeze_dim)
    return _function().apply(q, cos, sin), _function().apply(k, cos, sin)


@functools.cache
def _function() -> Any:
    import torch

    def turned(states: Any, cos: Any, sin: Any, direction: int) -> Any:
        half = states.shape[-1] // 2
        found = states * cos
        found[..., :half].addcmul_(states[..., half:], sin[..., :half], value=-direction)
        found[..., half:].addcmul_(states[..., :half], sin[..., half:], value=direction)
        return found

    class Rotation(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, states: Any, cos: Any, sin: Any) -> Any:
            ctx.save_for_backward(cos, sin)
            return turned(states, cos, sin, 1)

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, gradient: Any) -> Any:
            return turned(gradient, *ctx.saved_tensors, -1), None, None

    return Rotation
