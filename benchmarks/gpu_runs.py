"""Training runs of benchmarks/gpu.py, each in a process of its own: `gpu_runs.py HOW SPECIFICATION RESULT`.

    model   writes a model of random weights, its tokenizer and texts into the folder of the specification
    ours    the stage `train` with method cpt and packing, as the harness starts it, without the harness
    bare    the script of TRL's documentation: SFTTrainer with packing, at the same settings

Seconds are those between the ends of optimizer steps, from the end of the first ones on; memory is the most that was
allocated on the GPU, or resident on the CPU, in all of the process. `ours` tells what `modelmake plan` foresees of it.
"""

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
WARM_UP = 2  # optimizer steps before the clock starts
TEXTS = 4  # that share a block
LETTERS = "#$%&*+<=>@^~"  # one token each
NF4 = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
LORA = {"r": 16, "lora_alpha": 32, "lora_dropout": 0.0, "target_modules": "all-linear"}
SHAPES: dict[str, dict[str, Any]] = {
    "llama3_1_8b": {
        "model_type": "llama", "vocab_size": 128_256, "hidden_size": 4096, "intermediate_size": 14_336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
        "rope_parameters": {"rope_type": "default", "rope_theta": 500_000.0}, "tie_word_embeddings": False,
    },
    "qwen3_0_6b": {
        "model_type": "qwen3", "vocab_size": 151_936, "hidden_size": 1024, "intermediate_size": 3072,
        "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0}, "tie_word_embeddings": True,
    },
    "tiny": {
        "model_type": "llama", "vocab_size": 384, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "tie_word_embeddings": False,
    },
}  # fmt: skip


def dtype(specification: dict[str, Any]) -> str:
    return "bfloat16" if specification["device"] == "cuda" else "float32"


def model(specification: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Writes the model and texts that fill blocks of `tokens` tokens: every step trains as many."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from stages.rows import jsonl
    from stages.rows.row import Text, make_row
    from tests.tiny_models import SPECIAL_TOKENS, build_tokenizer

    build_tokenizer(folder)
    torch.manual_seed(0)
    ids = {"eos_token_id": SPECIAL_TOKENS.index("<|end|>"), "bos_token_id": None, "pad_token_id": 0}
    sizes = SHAPES[specification["shape"]] | {"max_position_embeddings": specification["tokens"], **ids}
    with torch.device(specification["device"]):
        made = AutoModelForCausalLM.from_config(
            AutoConfig.for_model(**sizes), dtype=getattr(torch, dtype(specification))
        )
    made.save_pretrained(folder)
    draw = random.Random(0)
    n = (specification["steps"] + WARM_UP) * specification["batch"] * TEXTS
    length = specification["tokens"] // TEXTS - 1  # and the end token
    texts = ["".join(draw.choices(LETTERS, k=length)) for _ in range(n)]
    jsonl.write(folder / "texts.jsonl", (make_row(Text(text)) for text in texts))
    jsonl.write(folder / "none.jsonl", [])
    return flops(made, specification)


def flops(made: Any, specification: dict[str, Any]) -> dict[str, Any]:
    """Parameters, and the operations of a token that training an adapter needs.

    The frozen weights take part in the pass forward and in the gradients of what they read, which is 4 operations a
    weight; attention to half of a text's tokens takes part in 3 products of each kind. What is computed twice to save
    memory is not counted, nor is the adapter.
    """
    config = made.config
    embedding = made.get_input_embeddings().weight.numel()
    weights = made.num_parameters() - (0 if config.tie_word_embeddings else embedding)
    width = config.num_attention_heads * config.head_dim
    attention = 6 * config.num_hidden_layers * width * (specification["tokens"] // TEXTS)
    return {"parameters": made.num_parameters(), "flops_per_token": 4 * weights + attention}


def ours(specification: dict[str, Any], start: Path, folder: Path) -> dict[str, int]:
    from transformers import AutoConfig

    from stages import train
    from stages.training import memory

    outputs = {name: folder / name for name in ("trained", "consumed", "log", "checkpoints")}
    outputs["checkpoints"].mkdir()
    params, machine = parameters(specification)
    train.main(
        start=start, second_model=ROOT / params.second_model, train=start / "texts.jsonl", val=start / "none.jsonl",
        step="gpu", params=params, machine=machine, **outputs,
    )  # fmt: skip
    need = memory.need(AutoConfig.from_pretrained(start), params, machine, specification["tokens"], trained=1.0)
    return {"foreseen_mib": need.peak >> 20}


def parameters(specification: dict[str, Any]) -> tuple[Any, Any]:
    """The step and its machine, as `params.yaml` would say them."""
    from modelmake.params import section
    from stages.params.machine import Machine
    from stages.params.training import Step

    lora = {
        "kind": "lora", **LORA, "use_dora": False, "use_rslora": False, "init_lora_weights": True,
        "layers_to_transform": None, "modules_to_save": [], "trainable_token_indices": [], "loraplus_lr_ratio": None,
    }  # fmt: skip
    step = {
        "method": "cpt", "from": "base", "second_model": "recipes/no_model.json", "rows": "text", "seed": 0,
        "weights": lora, "quantization": quantization(specification), "max_length": specification["tokens"],
        "over_long": "error", "omit": [], "packing": True, "num_train_epochs": 1.0,
        "per_device_train_batch_size": specification["batch"], "gradient_accumulation_steps": 1,
        "gradient_checkpointing": specification["gradient_checkpointing"], "attn_implementation": None,
        "processes": 1, "sharding": None, "learning_rate": 2e-4, "optim": "adamw_torch_fused",
        "lr_scheduler_type": "constant", "lr_scheduler_kwargs": {}, "warmup_steps": 0, "weight_decay": 0.0,
        "max_grad_norm": 1.0, "logging_steps": 1, "eval_steps": 1000, "best": None, "stop_on": [],
    }  # fmt: skip
    machine = {"device": specification["device"], "dtype": dtype(specification), "threads": specification["threads"]}
    values = {"train": {"gpu": step}, "machine": machine}
    return section(values, "train.gpu", Step, "gpu_runs.py"), section(values, "machine", Machine, "gpu_runs.py")


def quantization(specification: dict[str, Any]) -> dict[str, Any] | None:
    return NF4 | {"bnb_4bit_compute_dtype": dtype(specification)} if specification["way"] == "qlora" else None


def bare(specification: dict[str, Any], start: Path, folder: Path) -> dict[str, int]:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig
    from trl import SFTConfig, SFTTrainer

    from stages.rows import jsonl

    in_4bit = quantization(specification)
    network = AutoModelForCausalLM.from_pretrained(
        start, dtype=getattr(torch, dtype(specification)), device_map=specification["device"],
        **({"quantization_config": BitsAndBytesConfig(**in_4bit)} if in_4bit else {}),
    )  # fmt: skip
    config = SFTConfig(
        output_dir=str(folder / "checkpoints"), seed=0, num_train_epochs=1, packing=True,
        max_length=specification["tokens"], per_device_train_batch_size=specification["batch"],
        gradient_checkpointing=specification["gradient_checkpointing"], learning_rate=2e-4, optim="adamw_torch_fused",
        lr_scheduler_type="constant", max_grad_norm=1.0, logging_steps=1, save_strategy="no", report_to="none",
        bf16=dtype(specification) == "bfloat16", use_cpu=specification["device"] == "cpu",
    )  # fmt: skip
    texts = Dataset.from_dict({"text": [row.content.text for row in jsonl.read(start / "texts.jsonl")]})
    trainer = SFTTrainer(
        model=network, args=config, train_dataset=texts, peft_config=LoraConfig(task_type="CAUSAL_LM", **LORA)
    )
    trainer.train()
    trainer.save_model(str(folder / "trained"))
    return {}


def clocked(device: str) -> dict[str, Any]:
    """What Trainer.train() will have measured: the time at the end of each step, and tokens of a step."""
    import torch
    from transformers import Trainer, TrainerCallback

    train, measured = Trainer.train, {"ends": [], "tokens": 0}

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if device == "cuda":
                torch.cuda.synchronize()
            measured["ends"].append(time.perf_counter())

    def timed(self: Any, *arguments: Any, **named: Any) -> Any:
        self.add_callback(Clock())
        blocks = self.train_dataset["input_ids"]
        measured["tokens"] = sum(map(len, blocks)) * self.args.per_device_train_batch_size / len(blocks)
        return train(self, *arguments, **named)

    Trainer.train = timed
    return measured


def main() -> None:
    how, specification = sys.argv[1], json.loads(Path(sys.argv[2]).read_bytes())
    from modelmake.running import threads

    threads.limit(specification["threads"])
    import torch

    start = Path(specification["model"])
    if how == "model":
        result = model(specification, start)
    else:
        measured = clocked(specification["device"])
        with tempfile.TemporaryDirectory() as name:
            foreseen = {"ours": ours, "bare": bare}[how](specification, start, Path(name))
        seconds = measured["ends"][-1] - measured["ends"][WARM_UP - 1]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if specification["device"] == "cuda":
            peak = torch.cuda.max_memory_allocated()
        tokens = measured["tokens"] * (len(measured["ends"]) - WARM_UP)
        result = {"tokens": round(tokens), "seconds": seconds, "peak_mib": peak >> 20, **foreseen}
    result["gpu"] = torch.cuda.get_device_name() if specification["device"] == "cuda" else None
    Path(sys.argv[3]).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
