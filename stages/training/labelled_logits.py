"""Log-probabilities of the tokens that the loss sees, on CPUs, without the logits of the others.

TRL 1.16 does so on GPUs, by a kernel. On CPUs its trainers compute the logits of every token, padding too, and do so
again for the gradient: most of a small model's training.
"""

from typing import Any

HELD_LOGITS = 1 << 24  # held at a time, 64 MiB; where there are more, they are computed again for the gradient


def on_cpus() -> None:
    """Makes TRL's fused output layer score labelled tokens alone, in this process; on GPUs by TRL's kernel, as ever."""
    from trl.trainer import utils

    utils._ChunkedLogProbFunction = LabelledLogProbs
    utils._use_triton = lambda device: True  # asked in that module only for whether other tokens are left out


class LabelledLogProbs:
    """Has the interface of TRL's ChunkedLogProbFunction, but passes gradients through the log-probabilities alone."""

    @staticmethod
    def apply(
        hidden: Any, weight: Any, bias: Any, targets: Any, temperature: float, chunk_size: int,
        softcapping: float | None, scale: float, outputs: tuple[str, ...],
    ) -> tuple[Any, ...]:  # fmt: skip
        """(log-probabilities, entropy, log of the sum of squared probabilities, mean logit, is it the likeliest token).

        hidden: (N, H) states before the output layer, whose weight is (V, H) and bias (V,) or None; targets: (N,) ids.
        Each result is (N,), None if `outputs` does not name it.
        """
        import torch
        from torch.utils.checkpoint import checkpoint
        from trl.kernels import ChunkedLogProbFunction

        if hidden.device.type != "cpu":
            return ChunkedLogProbFunction.apply(
                hidden, weight, bias, targets, temperature, chunk_size, softcapping, scale, outputs
            )
        settings = weight, bias, scale, softcapping, temperature, outputs
        tokens = max(1, HELD_LOGITS // weight.shape[0])
        if hidden.shape[0] <= tokens:
            return _statistics(hidden, targets, *settings)
        parts = [
            checkpoint(_statistics, *part, *settings, use_reentrant=False, preserve_rng_state=False)
            for part in zip(hidden.split(tokens), targets.split(tokens), strict=True)
        ]
        return tuple(None if of_parts[0] is None else torch.cat(of_parts) for of_parts in zip(*parts, strict=True))


def _statistics(
    hidden: Any, targets: Any, weight: Any, bias: Any, scale: float, softcapping: float | None, temperature: float,
    outputs: tuple[str, ...],
) -> tuple[Any, ...]:  # fmt: skip
    import torch
    from torch.nn.functional import linear, log_softmax

    logits = linear(hidden, weight, bias).float()  # (N, V)
    if scale != 1:
        logits = logits * scale
    if softcapping is not None:
        logits = softcapping * torch.tanh(logits / softcapping)
    if temperature != 1:
        logits = logits / temperature
    log_p = log_softmax(logits, -1)
    of_targets = log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    with torch.no_grad():
        return (
            of_targets,
            -(log_p.exp() * log_p).sum(-1) if "entropy" in outputs else None,
            (2 * log_p).logsumexp(-1) if "log_sum_sq_probs" in outputs else None,
            logits.mean(-1) if "mean_logits" in outputs else None,
            log_p.argmax(-1) == targets if "is_top1" in outputs else None,
        )
