"""The parts of a model's file: tensors, template, tokenizer and settings by name, each with a hash of its content.

Two files that differ in bytes are told apart by these: `template chat_template`, `tensor blk.0.attn_q.weight`.
"""

import hashlib
import json
import mmap
from pathlib import Path

TEMPLATE, TENSOR, TOKENIZER, SETTING = "template", "tensor", "tokenizer", "setting"  # kinds, the first word of a name
CONTENT = "content"  # of a file that has no parts
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


def of_file(path: Path, name: str) -> dict[str, str]:
    """{part: hash} of a file that is a model's by its name; of others, and of what cannot be read, the whole.

    Args:
        name: of the file; where its bytes lie may be an object of a cache, whose name says nothing.
    """
    base, suffix = name.rpartition("/")[2], Path(name).suffix
    try:
        if suffix == ".gguf":
            return _of_gguf(path)
        if suffix == ".safetensors":
            return _of_safetensors(path)
        if suffix == ".json":
            return _of_json(path, base)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        return {f"{CONTENT}, which cannot be read ({type(error).__name__})": _hash(path.read_bytes())}
    return {f"{TEMPLATE} {base}" if suffix == ".jinja" else CONTENT: _hash(path.read_bytes())}


def templates(path: Path) -> dict[str, str]:
    """{name: chat template} of a model's file: those of a GGUF, of a tokenizer_config.json, or a .jinja itself."""
    if path.suffix == ".gguf":
        from gguf import GGUFReader

        fields = GGUFReader(path).fields.items()
        return {name: str(field.contents()) for name, field in fields if name.startswith("tokenizer.chat_template")}
    if path.suffix == ".jinja":
        return {path.name: path.read_text("utf-8")}
    if path.name == "tokenizer_config.json":
        template = json.loads(path.read_bytes()).get("chat_template")
        named = {entry["name"]: entry["template"] for entry in template} if isinstance(template, list) else {}
        return named or ({path.name: template} if template else {})
    return {}


def architecture(path: Path) -> tuple[str, str]:
    """(family, architecture) by a config.json or a GGUF; empty where the file does not say."""
    if path.name == "config.json":
        config = json.loads(path.read_bytes())
        return config.get("model_type", ""), next(iter(config.get("architectures") or []), "")
    if path.suffix == ".gguf":
        from gguf import GGUFReader

        field = GGUFReader(path).fields.get("general.architecture")
        return (str(field.contents()), "") if field else ("", "")
    return "", ""


def _of_gguf(path: Path) -> dict[str, str]:
    from gguf import GGUFReader

    reader = GGUFReader(path)
    parts = {}
    for name, field in reader.fields.items():
        kind = TEMPLATE if "chat_template" in name else TOKENIZER if name.startswith("tokenizer.") else SETTING
        parts[f"{kind} {name}"] = _hash(*(part.tobytes() for part in field.parts))
    for tensor in reader.tensors:
        header = f"{tensor.tensor_type.name} {tensor.shape.tolist()}".encode()
        parts[f"{TENSOR} {tensor.name}"] = _hash(header, tensor.data.tobytes())
    return parts


def _of_safetensors(path: Path) -> dict[str, str]:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        settings = header.pop("__metadata__", {})
        parts = {f"{SETTING} {name}": _hash(str(value).encode()) for name, value in settings.items()}
        for name, tensor in header.items():
            start, end = (8 + length + offset for offset in tensor["data_offsets"])
            if end > len(content):
                raise ValueError(f"{name} ends after the file")
            described = f"{tensor['dtype']} {tensor['shape']}".encode()
            parts[f"{TENSOR} {name}"] = _hash(described, content[start:end])
    return parts


def _of_json(path: Path, base: str) -> dict[str, str]:
    values = json.loads(path.read_bytes())
    if not isinstance(values, dict):
        raise TypeError("no object")
    kind = TOKENIZER if base in TOKENIZER_FILES else SETTING
    if base == "tokenizer.json" and isinstance(values.get("model"), dict):
        values |= {f"model.{name}": value for name, value in values.pop("model").items()}
    hashes = {name: _hash(json.dumps(value, sort_keys=True).encode()) for name, value in values.items()}
    return {f"{TEMPLATE if name == 'chat_template' else kind} {base} {name}": value for name, value in hashes.items()}


def _hash(*contents: bytes) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(len(content).to_bytes(8, "little"))
        digest.update(content)
    return digest.hexdigest()
