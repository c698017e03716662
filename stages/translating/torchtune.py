"""torchtune's YAML, with rows as messages: it reads no tokens, and writes chats by a format of its own."""

from typing import Any

from stages.params.training import Step
from stages.translating.words import ROWS, Beside, Same, Source, Word

METHODS = ("sft",)
# {repo on the hub: (module of torchtune.models, builder, tokenizer, model_type of the checkpoint, its file)}
MODELS = {
    "meta-llama/Llama-3.1-8B-Instruct": (
        "llama3_1", "llama3_1_8b", "llama3.llama3_tokenizer", "LLAMA3", "original/tokenizer.model",
    ),
    "meta-llama/Llama-3.1-70B-Instruct": (
        "llama3_1", "llama3_1_70b", "llama3.llama3_tokenizer", "LLAMA3", "original/tokenizer.model",
    ),
    "meta-llama/Llama-3.2-1B-Instruct": (
        "llama3_2", "llama3_2_1b", "llama3.llama3_tokenizer", "LLAMA3_2", "original/tokenizer.model",
    ),
    "google/gemma-2-2b-it": ("gemma2", "gemma2_2b", "gemma.gemma_tokenizer", "GEMMA2", "tokenizer.model"),
    "microsoft/Phi-3-mini-4k-instruct": (
        "phi3", "phi3_mini", "phi3.phi3_mini_tokenizer", "PHI3_MINI", "tokenizer.model",
    ),
}  # fmt: skip
TABLE = {
    **ROWS,
    "assistant_only_loss": Same((True,), "the loss of its chats sees the assistant's turns alone"),
    "second_model": Same(("recipes/no_model.json",), "no second model for this method"),
    "seed": Word("seed"),
    "num_train_epochs": Word("epochs"),
    "per_device_train_batch_size": Word("batch_size"),
    "gradient_accumulation_steps": Word("gradient_accumulation_steps"),
    "gradient_checkpointing": Word("enable_activation_checkpointing"),
    "attn_implementation": Same((None, "sdpa"), "it calls torch's scaled_dot_product_attention"),
    "learning_rate": Word("lr"),
    "optim": Word("optimizer", {"adamw_torch_fused": True, "adamw_torch": False}),
    "lr_scheduler_type": Same(("cosine",), "its recipes know a cosine"),
    "lr_scheduler_kwargs": Same(({},), "its cosine has no more settings"),
    "warmup_steps": Word("num_warmup_steps"),
    "weight_decay": Word("weight_decay"),
    "max_grad_norm": Word("clip_grad_norm"),
    "logging_steps": Word("log_every_n_steps"),
    "eval_steps": Beside("its recipes do not evaluate"),
    "best": Same((None,), "its recipes do not evaluate"),
    "stop_on": Beside("watch the loss"),
    "weights.kind": Word("kind", {"all": "full", "lora": "lora"}),
    "weights.r": Word("lora_rank"),
    "weights.lora_alpha": Word("lora_alpha"),
    "weights.lora_dropout": Word("lora_dropout"),
    "weights.target_modules": Same(("all-linear",), "its names of modules are others"),
    "weights.use_dora": Same((False,), "not in these builders"),
    "weights.use_rslora": Same((False,), "it scales by alpha / r"),
    "weights.init_lora_weights": Same((True,), "it starts LoRA as PEFT does by itself"),
    "weights.layers_to_transform": Same((None,), "it adapts all layers"),
    "weights.modules_to_save": Same(([],), "it trains nothing whole beside LoRA"),
    "weights.trainable_token_indices": Same(([],), "it trains no rows of the embedding alone"),
    "weights.loraplus_lr_ratio": Same((None,), "one learning rate"),
}


def lost(step: Step, source: Source) -> dict[str, str]:
    """{what: why} of all that no field says, and torchtune does otherwise."""
    found = {"chat_template": "torchtune writes chats by a format of its own, not by the model's template"}
    if step.num_train_epochs != int(step.num_train_epochs):
        found["num_train_epochs"] = f"{step.num_train_epochs}: want a whole number"
    if step.warmup_steps and step.warmup_steps < 1:
        found["warmup_steps"] = f"{step.warmup_steps}: want a number of steps"
    return found


def files(step: Step, config: dict[str, Any], source: Source, val: bool) -> dict[str, Any]:
    """{name: content of a YAML file}."""
    module, builder, tokenizer, model_type, path = MODELS[source.repo]
    adapted = config.pop("kind") == "lora"
    model = {"_component_": f"torchtune.models.{module}.{'lora_' * adapted}{builder}"}
    if adapted:
        model |= {name: config.pop(name) for name in ("lora_rank", "lora_alpha", "lora_dropout")}
        model |= {
            "lora_attn_modules": ["q_proj", "k_proj", "v_proj", "output_proj"],
            "apply_lora_to_mlp": True,
            "apply_lora_to_output": False,
        }
        if module == "gemma2":
            del model["apply_lora_to_output"]  # its output is the embedding
    optimizer = {"_component_": "torch.optim.AdamW", "fused": config.pop("optimizer")}
    schedule = "torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup"
    config |= {
        "output_dir": "trained",
        "model": model,
        "tokenizer": {
            "_component_": f"torchtune.models.{tokenizer}", "path": f"{source.model}/{path}",
            "max_seq_len": step.max_length,
        },
        "checkpointer": {
            "_component_": "torchtune.training.FullModelHFCheckpointer", "checkpoint_dir": str(source.model),
            "checkpoint_files": sorted(file.name for file in source.model.glob("model*.safetensors")),
            "recipe_checkpoint": None, "output_dir": "${output_dir}", "model_type": model_type,
        },
        "resume_from_checkpoint": False,
        "dataset": {
            "_component_": "torchtune.datasets.chat_dataset", "source": "json", "data_files": "train.jsonl",
            "split": "train", "conversation_column": "messages", "conversation_style": "openai",
            "train_on_input": False, "packed": False,
        },
        "shuffle": True,
        "optimizer": optimizer | {name: config.pop(name) for name in ("lr", "weight_decay")},
        "lr_scheduler": {"_component_": schedule, "num_warmup_steps": int(config.pop("num_warmup_steps"))},
        "epochs": int(config["epochs"]),
        "loss": {"_component_": "torchtune.modules.loss.CEWithChunkedOutputLoss"},
        "max_steps_per_epoch": None,
        "compile": False,
        "metric_logger": {"_component_": "torchtune.training.metric_logging.DiskLogger", "log_dir": "logs"},
        "log_peak_memory_stats": False,
        "device": source.device,
        "dtype": {"bfloat16": "bf16", "float32": "fp32"}[source.dtype],
        "enable_activation_offloading": False,
        "profiler": {"_component_": "torchtune.training.setup_torch_profiler", "enabled": False},
    }  # fmt: skip
    if adapted:
        config["save_adapter_weights_only"] = False
    else:
        config["optimizer_in_bwd"] = False
    return {"torchtune.yaml": config}
