"""Axolotl's YAML, with rows as tokens: it renders none itself, so that its template decides nothing."""

from typing import Any

from stages.params.training import Step
from stages.translating.words import ROWS, Beside, Same, Source, Split, Word

METHODS = ("sft", "cpt")  # rows of preferences go through Axolotl's own templates, judged ones too
NOT_ASKED = "Axolotl keeps the weights of the last step"
TABLE = {
    **ROWS,
    "second_model": Same(("recipes/no_model.json",), "no second model for this method"),
    "packing": Same((False,), "its packing is another"),
    "seed": Word("seed"),
    "num_train_epochs": Word("num_epochs"),
    "per_device_train_batch_size": Word("micro_batch_size"),
    "gradient_accumulation_steps": Word("gradient_accumulation_steps"),
    "gradient_checkpointing": Word("gradient_checkpointing"),
    "attn_implementation": Word("attn_implementation"),
    "learning_rate": Word("learning_rate"),
    "optim": Word("optimizer"),
    "lr_scheduler_type": Word("lr_scheduler"),
    "lr_scheduler_kwargs": Word("lr_scheduler_kwargs"),
    "warmup_steps": Split("warmup_ratio", "warmup_steps"),
    "weight_decay": Word("weight_decay"),
    "max_grad_norm": Word("max_grad_norm"),
    "logging_steps": Word("logging_steps"),
    "eval_steps": Word("eval_steps"),
    "best": Same((None,), NOT_ASKED),
    "stop_on": Beside("watch the loss"),
    "weights.kind": Word("adapter", {"all": None, "lora": "lora"}),
    "weights.r": Word("lora_r"),
    "weights.lora_alpha": Word("lora_alpha"),
    "weights.lora_dropout": Word("lora_dropout"),
    "weights.target_modules": Word("lora_target_modules"),
    "weights.use_dora": Word("peft_use_dora"),
    "weights.use_rslora": Word("peft_use_rslora"),
    "weights.init_lora_weights": Word("peft_init_lora_weights"),
    "weights.layers_to_transform": Word("peft_layers_to_transform"),
    "weights.modules_to_save": Word("lora_modules_to_save"),
    "weights.trainable_token_indices": Word("peft_trainable_token_indices"),
    "weights.loraplus_lr_ratio": Word("loraplus_lr_ratio"),
    "quantization.load_in_4bit": Word("load_in_4bit"),
    "quantization.bnb_4bit_quant_type": Word("bnb_4bit_quant_type"),
    "quantization.bnb_4bit_use_double_quant": Word("bnb_4bit_use_double_quant"),
    "quantization.bnb_4bit_compute_dtype": Same(("bfloat16",), "it computes in bfloat16"),
}


def files(step: Step, config: dict[str, Any], source: Source, val: bool) -> dict[str, Any]:
    """{name: content of a YAML file}."""
    if config.pop("lora_target_modules", None) == "all-linear":
        config["lora_target_linear"] = True
    elif getattr(step.weights, "target_modules", None):
        config["lora_target_modules"] = step.weights.target_modules
    kinds = ("quant_type", "use_double_quant")
    if bnb := {f"bnb_4bit_{kind}": config.pop(f"bnb_4bit_{kind}") for kind in kinds if f"bnb_4bit_{kind}" in config}:
        config |= {"adapter": "qlora", "bnb_config_kwargs": bnb}
    for empty in ("lora_modules_to_save", "peft_trainable_token_indices", "lr_scheduler_kwargs"):
        if not config.get(empty):
            config.pop(empty, None)
    config |= {
        "base_model": str(source.model),
        "datasets": [{"path": "train.jsonl", "ds_type": "json", "type": None}],
        "sequence_len": step.max_length,
        "sample_packing": False,
        "val_set_size": 0,
        "bf16": source.dtype == "bfloat16",
        "dataset_prepared_path": "prepared",
        "output_dir": "trained",
    }
    if val:
        config["test_datasets"] = [{"path": "val.jsonl", "ds_type": "json", "type": None, "split": "train"}]
    else:
        config.pop("eval_steps")
    return {"axolotl.yaml": config}
