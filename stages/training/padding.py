"""Padding on the right, which causal attention does not see: no mask of it is needed, and its steps take less time.

The mask that transformers makes of it has a value for each pair of tokens, and keeps torch's attention from the way
that computes only what is left of a token.
"""

from typing import Any

# Models whose tokens see only what is left of them, whatever the mask; tests/training/test_padding.py proves each.
CAUSAL = {"gemma", "gemma2", "gemma3_text", "llama", "mistral", "phi3", "qwen2", "qwen3", "smollm3"}


def unmask(model: Any) -> None:
    """Has a model on a CPU leave out masks that say no more than how long each row is, from here on."""
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    config = model.config
    if (
        model.device.type != "cpu"
        or config.model_type not in CAUSAL
        or config._attn_implementation != "sdpa"
        or getattr(config, "use_bidirectional_attention", False)
    ):
        return

    def without(backbone: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        mask = kwargs.get("attention_mask")
        # Positions come with packed rows and with generation, where a mask says more.
        alone = kwargs.get("position_ids") is None and kwargs.get("past_key_values") is None
        if mask is not None and alone and mask.dim() == 2 and bool((mask[:, 1:] <= mask[:, :-1]).all()):
            kwargs["attention_mask"] = None
        return args, kwargs

    model.base_model.register_forward_pre_hook(without, with_kwargs=True)
