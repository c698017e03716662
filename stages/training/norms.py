"""RMSNorm of models that train on CPUs, with a gradient of five operations.

transformers writes the norm in six operations. The gradient that torch makes of them reads and writes the states at
each of them, and more often than once.
"""

import functools
from types import MethodType
from typing import Any

# Norms that are weight * x / sqrt(mean(x²) + eps); tests/training/test_norms.py proves each.
PLAIN = {"LlamaRMSNorm", "MistralRMSNorm", "Phi3RMSNorm", "Qwen2RMSNorm", "Qwen3RMSNorm", "SmolLM3RMSNorm"}


def shorten(model: Any) -> None:
    """Has the norms of a model on a CPU compute by `RmsNorm`, from here on, wherever their states are float32."""
    for module in model.modules():
        if type(module).__name__ in PLAIN and module.weight.device.type == "cpu":
            module.forward = MethodType(_forward, module)


def _forward(norm: Any, hidden: Any) -> Any:
    import torch

    if hidden.dtype != torch.float32 or norm.weight.dtype != torch.float32:
        return type(norm).forward(norm, hidden)
    return _function().apply(hidden, norm.weight, norm.variance_epsilon)


@functools.cache
def _function() -> Any:
    import torch

    class RmsNorm(torch.autograd.Function):
        """Of states (…, H) and a weight (H,)."""

        @staticmethod
        def forward(ctx: Any, hidden: Any, weight: Any, epsilon: float) -> Any:
            length = torch.linalg.vector_norm(hidden, dim=-1, keepdim=True)
            scale = length.square_().div_(hidden.shape[-1]).add_(epsilon).rsqrt_()  # (…, 1)
            normed = hidden * scale
            ctx.save_for_backward(normed, weight, scale)
            return normed * weight

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, gradient: Any) -> Any:
            normed, weight, scale = ctx.saved_tensors
            along = (gradient * normed).flatten(0, -2)  # (N, H)
            of_weight = along.sum(0) if ctx.needs_input_grad[1] else None
            mean = torch.mv(along, weight).div_(weight.shape[0]).view(scale.shape)
            return torch.addcmul(gradient * weight, normed, mean, value=-1).mul_(scale), of_weight, None

    return RmsNorm
