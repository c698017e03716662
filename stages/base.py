"""Provides the base model: a tiny one pretrained here, a model folder, or a hub model at a pinned revision.

Inputs:  source  JSONL rows to pretrain on (tiny), a model folder (folder), or a JSON file {repo, revision} (hub)
Outputs: base    model folder: config.json, model*.safetensors, tokenizer files, chat_template.jinja
         log     JSON {kind, parameters, history: [{step, loss}]}; of a folder or the hub also license, as its README.md
                 declares it, or null
Params:  base, machine
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import Checkpoints, In, Out
from stages.params.base_model import Base, Hub, Tiny
from stages.params.machine import Machine
from stages.reading import hub, model_licence
from stages.rows import accounting, jsonl
from stages.training import corpus, device, progress, resume

PAD, END = "<|pad|>", "<|end|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
# The end token is inside the generation block: training on assistant turns alone then also teaches to stop. Tools,
# calls and reasoning are written as by Hermes and Qwen.
CHAT_TEMPLATE = r"""
{%- if tools %}
{{- '<|system|>' + (messages[0].content + '\n\n' if messages[0].role == 'system' else '') + '<tools>' }}
{%- for tool in tools %}{{- '\n' + tool | tojson }}{%- endfor %}
{{- '\n</tools><|end|>' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'assistant' %}
{{- '<|assistant|>' }}
{%- generation %}
{%- if message.reasoning_content %}{{- '<think>\n' + message.reasoning_content + '\n</think>\n\n' }}{%- endif %}
{{- message.content }}
{%- for call in message.tool_calls or [] %}
{{- '\n' if message.content or not loop.first }}
{{- '<tool_call>\n{"name": "' + call.function.name + '", "arguments": ' + call.function.arguments | tojson }}
{{- '}\n</tool_call>' }}
{%- endfor %}
{{- '<|end|>' }}
{%- endgeneration %}
{%- elif message.role == 'tool' %}
{{- '<|user|><tool_response>\n' + message.content + '\n</tool_response><|end|>' }}
{%- elif not (tools and loop.first and message.role == 'system') %}
{{- '<|' + message.role + '|>' + message.content + '<|end|>' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}
""".strip()
REQUIRED_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")
TEMPLATES = "additional_chat_templates"  # transformers' folder of templates beside the default one, as for tools
COPIED_FILES = (  # never pickles, never code
    "*.json", "*.safetensors", "*.jinja", f"{TEMPLATES}/*.jinja", "*.txt", "tokenizer.model"
)  # fmt: skip


def train_tokenizer(texts: list[str], params: Tiny) -> Any:
    """A byte-level BPE tokenizer with `CHAT_TEMPLATE`; it can encode any text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=params.vocab_size,
        special_tokens=[PAD, END, *ROLES],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=list(ROLES),
        chat_template=CHAT_TEMPLATE,
        model_max_length=params.max_position_embeddings,
        clean_up_tokenization_spaces=False,
    )


def pretrain(texts: list[str], tokenizer: Any, params: Tiny, machine: Machine, folder: Path) -> tuple[Any, list]:
    """A Llama trained from scratch on texts, cut into blocks of `block_tokens` tokens; and its loss history."""
    from datasets import Dataset
    from transformers import (
        DataCollatorForLanguageModeling,
        LlamaConfig,
        LlamaForCausalLM,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    device.prepare(machine)
    set_seed(params.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=params.hidden_size,
        intermediate_size=params.intermediate_size,
        num_hidden_layers=params.num_hidden_layers,
        num_attention_heads=params.num_attention_heads,
        num_key_value_heads=params.num_attention_heads,
        max_position_embeddings=params.max_position_embeddings,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config)
    stream = [token for text in texts for token in [*tokenizer.encode(text), tokenizer.eos_token_id]]
    starts = range(0, len(stream) - params.block_tokens + 1, params.block_tokens)
    if not starts:
        raise UserError(
            f"base: source has {len(stream)} tokens: want at least base.block_tokens = "
            f"{params.block_tokens}; add text, or lower it"
        )
    blocks = Dataset.from_dict({"input_ids": [stream[s : s + params.block_tokens] for s in starts]})
    trainer = resume.epoch_seeded(Trainer)(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder),
            max_steps=params.max_steps,
            per_device_train_batch_size=params.per_device_train_batch_size,
            learning_rate=params.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=params.warmup_steps,
            weight_decay=params.weight_decay,
            adam_beta2=0.95,
            seed=params.seed,
            logging_steps=max(1, params.max_steps // 20),
            bf16=machine.dtype == "bfloat16",
            use_cpu=machine.device == "cpu",
            save_strategy="no",
            report_to="none",
            disable_tqdm=not sys.stderr.isatty(),
            dataloader_pin_memory=False,
        ),
        train_dataset=blocks,
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
    )
    progress.attach(trainer)
    resume.train(trainer)
    model.config.use_cache = True  # the trainer turns it off; generation is slow without it
    return model, progress.history(trainer.state.log_history)


def copy_model(folder: Path, base: Path, chat_template: str | None) -> None:
    """Copies a model's files, weights as safetensors only; `chat_template` replaces the model's own.

    Raises:
        UserError: a required file is missing, or there are no safetensors weights; the model needs code from its
            author; or there is no chat template, which evaluation needs.
    """
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    weights = weight_files(folder)
    missing += [name for name in weights if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"{folder}: missing {', '.join(missing)}: want a Hugging Face model folder "
            "with safetensors weights; convert it with save_pretrained"
        )
    config = msgspec.json.decode((folder / "config.json").read_bytes())
    if config.get("auto_map") and not has_own(config):
        raise UserError(
            f"{folder}/config.json: auto_map asks for code from the model's author: "
            "want an architecture that transformers has; remote code is never run"
        )
    base.mkdir(parents=True)
    for pattern in COPIED_FILES:
        for file in folder.glob(pattern):
            if file.suffix != ".safetensors" or file.name in weights:
                (base / file.relative_to(folder)).parent.mkdir(exist_ok=True)
                shutil.copyfile(file, base / file.relative_to(folder))
    if "auto_map" in config:  # each later stage would ask whether to run that code
        accounting.write_json(base / "config.json", {name: v for name, v in config.items() if name != "auto_map"})
    settings = msgspec.json.decode((base / "tokenizer_config.json").read_bytes())
    if chat_template is not None:
        (base / "chat_template.jinja").write_text(chat_template, "utf-8")
        shutil.rmtree(base / TEMPLATES, ignore_errors=True)
        settings.pop("chat_template", None)
        accounting.write_json(base / "tokenizer_config.json", settings)
    elif not settings.get("chat_template") and not (base / "chat_template.jinja").exists():
        raise UserError(f"{folder}: no chat template: want one; write it into base.chat_template (see docs/models.md)")


def has_own(config: dict[str, Any]) -> bool:
    """Whether the author's classes are in transformers, which took over their code, under the same names."""
    from transformers.models.auto import configuration_auto, modeling_auto

    mappings = (configuration_auto.CONFIG_MAPPING_NAMES, modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    own = {mapping.get(config.get("model_type")) for mapping in mappings}
    return all(str(name).rpartition(".")[2] in own for name in config["auto_map"].values())


def weight_files(folder: Path) -> set[str]:
    """Names of the model's weight files, by its index; some repositories also hold a second copy of the weights."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return {"model.safetensors"}
    return set(msgspec.json.decode(index.read_bytes())["weight_map"].values())


def count_parameters(folder: Path) -> int:
    """Number of parameters in a folder's safetensors files, read from their headers."""
    from math import prod

    from safetensors import safe_open

    total = 0
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="numpy") as tensors:
            total += sum(prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())
    return total


def main(source: In, base: Out, log: Out, checkpoints: Checkpoints, params: Base, machine: Machine) -> str:
    history: list = []
    if isinstance(params, Tiny):
        texts = [text for row in jsonl.read(source) for text in corpus.texts(row.content)]
        tokenizer = train_tokenizer(texts, params)
        model, history = pretrain(texts, tokenizer, params, machine, checkpoints)
        model.generation_config.update(eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
        model.save_pretrained(base)
        tokenizer.save_pretrained(base)
        licence, remark = {}, f"; loss {history[0]['loss']:.2f} -> {history[-1]['loss']:.2f}"
    else:
        files = (*COPIED_FILES, model_licence.README)
        folder = hub.fetch(source, "model", files) if isinstance(params, Hub) else source
        copy_model(folder, base, params.chat_template)
        licence = {"license": model_licence.declared(folder)}
        remark = f"; licence by its {model_licence.README}: {licence['license'] or 'not declared'}"
    parameters = count_parameters(base)
    kind = type(params).__struct_config__.tag
    accounting.write_json(log, {"kind": kind, "parameters": parameters, "history": history, **licence})
    return f"{kind} model of {parameters:,} parameters{remark}"


if __name__ == "__main__":
    harness.run(main)
