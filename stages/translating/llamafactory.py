"""LLaMA-Factory's YAML, with rows as tokens (`tokenized_path`): its templates decide nothing."""

from typing import Any

from stages.params.training import Step
from stages.translating.words import ROWS, Beside, Same, Source, Split, Word

METHODS = ("sft", "cpt", "dpo")
LAST = "LLaMA-Factory keeps the weights of the last step"
TABLE = {
    **ROWS,
    "second_model": Same(("recipes/no_model.json",), "no second model for this method"),
    "packing": Same((False,), "its packing is another"),
    "beta": Word("pref_beta"),
    "loss_type": Word("pref_loss", {("sigmoid",): "sigmoid", ("hinge",): "hinge", ("ipo",): "ipo"}),
    "loss_weights": Same(([1.0],), "it weighs one loss by 1"),
    "seed": Word("seed"),
    "num_train_epochs": Word("num_train_epochs"),
    "per_device_train_batch_size": Word("per_device_train_batch_size"),
    "gradient_accumulation_steps": Word("gradient_accumulation_steps"),
    "gradient_checkpointing": Word("disable_gradient_checkpointing", {True: False, False: True}),
    "attn_implementation": Word("flash_attn", {None: "auto", "eager": "disabled", "sdpa": "sdpa"}),
    "learning_rate": Word("learning_rate"),
    "optim": Word("optim"),
    "lr_scheduler_type": Word("lr_scheduler_type"),
    "lr_scheduler_kwargs": Word("lr_scheduler_kwargs"),
    "warmup_steps": Split("warmup_ratio", "warmup_steps"),
    "weight_decay": Word("weight_decay"),
    "max_grad_norm": Word("max_grad_norm"),
    "logging_steps": Word("logging_steps"),
    "eval_steps": Word("eval_steps"),
    "best": Same((None,), LAST),
    "stop_on": Beside("watch the loss"),
    "weights.kind": Word("finetuning_type", {"all": "full", "lora": "lora"}),
    "weights.r": Word("lora_rank"),
    "weights.lora_alpha": Word("lora_alpha"),
    "weights.lora_dropout": Word("lora_dropout"),
    "weights.target_modules": Word("lora_target"),
    "weights.use_dora": Word("use_dora"),
    "weights.use_rslora": Word("use_rslora"),
    "weights.init_lora_weights": Same((True,), "it starts LoRA as PEFT does by itself"),
    "weights.layers_to_transform": Same((None,), "it adapts all layers"),
    "weights.modules_to_save": Word("additional_target"),
    "weights.trainable_token_indices": Same(([],), "it trains no rows of the embedding alone"),
    "weights.loraplus_lr_ratio": Word("loraplus_lr_ratio"),
    "quantization.load_in_4bit": Word("quantization_bit", {True: 4}),
    "quantization.bnb_4bit_quant_type": Word("quantization_type"),
    "quantization.bnb_4bit_use_double_quant": Word("double_quantization"),
    "quantization.bnb_4bit_compute_dtype": Same(("bfloat16",), "it computes in the dtype of the machine"),
}


def files(step: Step, config: dict[str, Any], source: Source, val: bool) -> dict[str, Any]:
    """{name: content of a YAML file}."""
    if targets := config.get("lora_target"):
        config["lora_target"] = "all" if targets == "all-linear" else ",".join(targets)
    if modules := config.pop("additional_target", None):
        config["additional_target"] = ",".join(modules)
    if not config.get("lr_scheduler_kwargs"):
        config.pop("lr_scheduler_kwargs", None)
    config |= {
        "model_name_or_path": str(source.model),
        # The loss of texts is that of `sft` on all tokens: its own stage for texts masks an end token that also pads.
        "stage": "dpo" if "pref_beta" in config else "sft",
        "do_train": True,
        "dataset": "train",
        "tokenized_path": "rows",
        "template": "empty",
        "cutoff_len": step.max_length,
        "bf16": source.dtype == "bfloat16",
        "report_to": "none",
        "output_dir": "trained",
    }
    if val:
        config |= {"eval_dataset": "validation", "eval_strategy": "steps"}
    else:
        config.pop("eval_steps")
    return {"llamafactory.yaml": config}
