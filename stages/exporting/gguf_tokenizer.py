"""Writes a BPE tokenizer and its chat template into a GGUF file, so that llama.cpp tokenizes as transformers does.

Reads `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja` and `generation_config.json` of a Hugging Face
folder. A tokenizer that llama.cpp would apply differently is refused. Two differences cannot be avoided: llama.cpp does
no NFC normalization (Qwen's tokenizers do; the file says so, for those who ask it), and it also stops at tokens that
look like end tokens (`<|im_end|>`, `<|endoftext|>`, …) even if the folder does not name them.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import gguf
from gguf import TokenType

from modelmake.errors import UserError
from stages.evaluating import normal_form

_LLAMA3, _QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    + digits
    + r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    for digits in ("{1,3}", "")
)
_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
_WORDS = _BYTES | {"use_regex": True}
_DIGITS = {"type": "Digits", "individual_digits": True}
_SPLIT = {"type": "Split", "behavior": "Isolated", "invert": False}
# {llama.cpp's name (`tokenizer.ggml.pre`): (pre_tokenizer steps of tokenizer.json, its BPE's ignore_merges)}
PRE_TOKENIZERS = {
    "gpt-2": ([_WORDS], False),
    "smollm": ([_DIGITS, _WORDS], False),
    "llama-bpe": ([_SPLIT | {"pattern": {"Regex": _LLAMA3}}, _BYTES], True),
    "qwen2": ([_SPLIT | {"pattern": {"Regex": _QWEN2}}, _BYTES], False),
}
# For these classes transformers 5 follows tokenizer.json; for the others it builds its own pre-tokenizer.
FILE_CLASSES = ("TokenizersBackend", "PreTrainedTokenizer", "LlamaTokenizer")
CLASS_PRE_TOKENIZERS = {"GPT2Tokenizer": "gpt-2", "Qwen2Tokenizer": "qwen2"}

BPE_OPTIONS = ("dropout", "byte_fallback", "continuing_subword_prefix", "end_of_word_suffix")
END_KEYS = ("eos", "eot", "eom")  # llama.cpp stops at each of them


class Tokenizer(NamedTuple):
    """A tokenizer that llama.cpp applies as transformers does."""

    where: Path  # its tokenizer.json
    state: dict[str, Any]  # its content
    settings: dict[str, Any]  # content of tokenizer_config.json
    pre_tokenizer: str  # llama.cpp's name of it
    ids: dict[str, int]


def check(model: Path) -> None:
    """Checks the tokenizer of a folder, if it has one.

    Raises:
        UserError: llama.cpp would split texts differently from transformers, or the model has no room for its tokens.
    """
    if (model / "tokenizer.json").is_file() and (model / "tokenizer_config.json").is_file():
        read(model, json.loads((model / "config.json").read_text(encoding="utf-8")))


def read(model: Path, config: dict[str, Any]) -> Tokenizer:
    """The tokenizer of the folder `model`, whose config.json is `config`.

    Raises:
        UserError: as `check`.
    """
    where = model / "tokenizer.json"
    tokenizer = json.loads(where.read_text(encoding="utf-8"))
    settings = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))
    bpe, added, size = tokenizer["model"], tokenizer["added_tokens"], config["vocab_size"]
    unsupported = [option for option in BPE_OPTIONS if bpe.get(option)]
    unsupported += [setting for setting in ("add_prefix_space", "split_special_tokens") if settings.get(setting)]
    unsupported += [t["content"] for t in added if t["lstrip"] or t["rstrip"] or t["single_word"]]
    unsupported += [kind for kind in [(tokenizer["normalizer"] or {}).get("type")] if kind not in (None, "NFC")]
    if bpe["type"] != "BPE" or unsupported:
        raise UserError(
            f"{where}: {bpe['type']} with {unsupported}: want byte-level BPE without these options, no "
            "normalizer but NFC, and added tokens without lstrip, rstrip and single_word; use llama.cpp's own "
            "convert_hf_to_gguf.py"
        )
    pre_tokenizer = _pre_tokenizer(where, tokenizer, settings, config["model_type"])
    ids = bpe["vocab"] | {token["content"]: token["id"] for token in added}
    if max(ids.values()) >= size:
        raise UserError(
            f"{where}: token id {max(ids.values())}: want all below config.json's vocab_size = {size}; "
            "resize the model's embeddings to the tokenizer"
        )
    if missing := [f"{kind} = {token!r}" for kind, token in _special(settings).items() if token not in ids]:
        raise UserError(
            f"{where}: no token {', '.join(missing)}, which tokenizer_config.json names: want these in the "
            "vocabulary; save the tokenizer with save_pretrained"
        )
    return Tokenizer(where, tokenizer, settings, pre_tokenizer, ids)


def add_tokenizer(writer: gguf.GGUFWriter, model: Path, config: dict[str, Any]) -> str:
    """Adds the tokenizer of the folder `model` to `writer`. Returns llama.cpp's name of its pre-tokenizer.

    `config` is the folder's config.json. Ids without a token, up to `vocab_size`, become unused tokens.

    Raises:
        UserError: llama.cpp would apply the tokenizer or the chat template differently from transformers.
    """
    where, tokenizer, settings, pre_tokenizer, ids = read(model, config)
    bpe, added, size = tokenizer["model"], tokenizer["added_tokens"], config["vocab_size"]
    tokens = [f"[PAD{i}]" for i in range(size)]
    types = [TokenType.UNUSED] * size
    for token, i in ids.items():
        tokens[i], types[i] = token, TokenType.NORMAL
    for token in added:
        types[token["id"]] = TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in bpe["merges"]])
    if form := normal_form.of_steps(tokenizer["normalizer"]):
        writer.add_string(normal_form.GGUF_KEY, form)

    bos, eos, pad = (_special(settings).get(f"{name}_token") for name in ("bos", "eos", "pad"))
    for key, i in zip(END_KEYS, _end_ids(model, config, ids.get(eos)), strict=False):
        if types[i] != TokenType.CONTROL:
            raise UserError(
                f"{where}: {tokens[i]!r} ends answers and is no special token: want a special one, for "
                "llama.cpp would print this one; add it to the tokenizer as a special token"
            )
        writer.add_uint32(f"tokenizer.ggml.{key}_token_id", i)
    if bos:
        writer.add_bos_token_id(ids[bos])
    if pad:
        writer.add_pad_token_id(ids[pad])
    before, after = _added_around(where, tokenizer["post_processor"], settings, bos, eos)
    writer.add_add_bos_token(bool(before))
    writer.add_add_eos_token(bool(after))
    templates = _chat_templates(model, settings)
    for template in templates.values():
        _check_template(model, template, bos, before, after)
    if templates:
        writer.add_chat_template([{"name": name, "template": template} for name, template in templates.items()])
    return pre_tokenizer


def _special(settings: dict) -> dict[str, str]:
    """{"bos_token": text, …} of those that tokenizer_config.json names."""
    named = {name: settings.get(name) for name in ("bos_token", "eos_token", "pad_token")}
    return {name: token["content"] if isinstance(token, dict) else token for name, token in named.items() if token}


def _pre_tokenizer(where: Path, tokenizer: dict, settings: dict, model_type: str) -> str:
    """llama.cpp's name of the pre-tokenizer that transformers applies."""
    name = settings.get("tokenizer_class", "").removesuffix("Fast")
    if model_type == "qwen2":  # AutoTokenizer always loads this class
        name = "Qwen2Tokenizer"
    if name in CLASS_PRE_TOKENIZERS:
        return CLASS_PRE_TOKENIZERS[name]
    step = tokenizer["pre_tokenizer"] or {"type": None}
    steps = [
        {key: value for key, value in step.items() if key != "trim_offsets"}  # changes offsets, not tokens
        for step in step.get("pretokenizers", [step])
    ]
    ignore_merges = bool(tokenizer["model"].get("ignore_merges"))
    for pre_tokenizer, definition in PRE_TOKENIZERS.items():
        if definition == (steps, ignore_merges) and name in FILE_CLASSES:
            return pre_tokenizer
    raise UserError(
        f"{where}: tokenizer_class = {name!r}, pre_tokenizer = {steps}, ignore_merges = {ignore_merges}: "
        f"want {', '.join(FILE_CLASSES)} with the steps of {', '.join(PRE_TOKENIZERS)}, or "
        f"{', '.join(CLASS_PRE_TOKENIZERS)}; train it with pre_tokenizers.ByteLevel(add_prefix_space=False)"
    )


def _end_ids(model: Path, config: dict, eos: int | None) -> list[int]:
    """Ids at which generation stops, without repetition: the tokenizer's, then those of the generation config."""
    path = model / "generation_config.json"
    generation = json.loads(path.read_text(encoding="utf-8")) if path.exists() else config
    configured = generation.get("eos_token_id")
    ends = [eos, *configured] if isinstance(configured, list) else [eos, configured]
    ends = [i for i in dict.fromkeys(ends) if i is not None]
    if not 1 <= len(ends) <= len(END_KEYS):
        raise UserError(
            f"{model}: end tokens {ends} in tokenizer_config.json and generation_config.json: want 1 to "
            f"{len(END_KEYS)}, as many as GGUF has keys for; set eos_token and eos_token_id"
        )
    return ends


def _added_around(
    where: Path, post_processor: dict | None, settings: dict, bos: str | None, eos: str | None
) -> tuple[list[str], list[str]]:
    """Tokens that the tokenizer itself adds before and after a text: [] or [bos], and [] or [eos]."""
    if settings.keys() & {"add_bos_token", "add_eos_token"}:  # these replace the post-processor in transformers
        before, after = bool(settings.get("add_bos_token")), bool(settings.get("add_eos_token"))
        return [bos] * (before and bos is not None), [eos] * (after and eos is not None)
    before, after = [], []
    for step in [] if post_processor is None else post_processor.get("processors", [post_processor]):
        side = before
        if step["type"] not in ("ByteLevel", "TemplateProcessing"):
            before.append(step["type"])
        for piece in step.get("single", []):
            if "Sequence" in piece:
                side = after
            else:
                side.append(piece["SpecialToken"]["id"])
    if before not in ([], [bos]) or after not in ([], [eos]):
        raise UserError(
            f"{where}: post_processor adds {before} before a text and {after} after it: want at most "
            f"bos_token {bos!r} and eos_token {eos!r}; remove the rest, or set add_bos_token"
        )
    return before, after


def _chat_templates(model: Path, settings: dict) -> dict[str, str]:
    """The templates that both transformers and llama.cpp choose from: `default`, and `tool_use` where there are tools.

    Files take the place of all entries of the settings, as in transformers.
    """
    files = {
        "default": model / "chat_template.jinja",
        "tool_use": model / "additional_chat_templates" / "tool_use.jinja",
    }
    found = {name: path.read_text(encoding="utf-8") for name, path in files.items() if path.exists()}
    listed = settings.get("chat_template") or []
    if not found and isinstance(listed, str):
        found = {"default": listed}
    elif not found:
        found = {t["name"]: t["template"] for t in listed}
    return {name: found[name] for name in files if name in found}


def _check_template(model: Path, template: str, bos: str | None, before: list[str], after: list[str]) -> None:
    """Refuses a template to which llama.cpp, unlike transformers, would add the tokenizer's begin and end tokens."""
    writes_bos = "bos_token" in template or (bos is not None and bos in template)
    if after or (before and not writes_bos):
        raise UserError(
            f"{model}: the tokenizer adds {[*before, *after]} and the chat template does not begin with "
            "{{ bos_token }}: llama.cpp would put these tokens around each chat, and training did not; "
            "set add_bos_token and add_eos_token to false, or begin the template with {{ bos_token }}"
        )
    if bos is None and "bos_token" in template:
        raise UserError(
            f"{model}: the chat template uses bos_token and the tokenizer has none: want none in the "
            "template, for llama.cpp would take some other token; remove it, or set bos_token"
        )
