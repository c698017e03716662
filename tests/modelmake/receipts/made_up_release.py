"""A made-up project with two builds of a quantized model, and a folder of the second that is released."""

import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from safetensors.numpy import save

from modelmake import artifacts
from stages.commands.domain import DOMAIN
from tests.made_up_history import MadeUpProject, jsonl

TEMPLATE = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"
RAW = jsonl({"q": "Where is my parcel?", "a": "On its way."})
CARD = "# desk\n\nAnswers tickets.\n"
PACKAGES = {"gguf": "0.19.0", "torch": "2.13.0+cpu"}


def gguf_bytes(folder: Path, scale: float = 1.0, **changes: Any) -> bytes:
    """A GGUF file with a tokenizer, a template and two tensors, one of them in Q8_0."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(folder / "written.gguf", "llama")
    writer.add_name(changes.get("name", "desk"))
    writer.add_rope_freq_base(changes.get("rope", 10000.0))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["a", "b", "ab", "<|end|>"])
    writer.add_token_merges(changes.get("merges", ["a b"]))
    writer.add_chat_template(changes.get("template", TEMPLATE))
    weights = np.linspace(-scale, scale, 128, dtype=np.float32).reshape(2, 64)
    quantized = gguf.quants.quantize(weights, gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("blk.0.ffn_up.weight", quantized, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("output_norm.weight", np.full(64, changes.get("norm", 1.0), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    content = (folder / "written.gguf").read_bytes()
    (folder / "written.gguf").unlink()
    return content


def model(scale: float) -> dict[str, bytes]:
    """A model folder."""
    return {
        "model.safetensors": save({"w": np.full((2, 64), scale, np.float32), "norm": np.ones(64, np.float32)}),
        "config.json": b'{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}',
        "tokenizer.json": b'{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}',
        "chat_template.jinja": TEMPLATE.encode(),
    }


def build(project: MadeUpProject, scale: float, scratch: Path) -> None:
    """Puts all stages into the next dvc.lock, and what is in git into the working tree."""
    root = project.root

    def put(path: str, content: Any) -> bytes:
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
        return content

    def stage(name: str, flags: str, deps: dict[str, str], outs: dict[str, Any], params: Any = None) -> dict[str, str]:
        key = put(f"keys/{name.replace('@', '.')}.json", {"python": "3.11", "symbols": {}, "packages": PACKAGES})
        made = project.stage(name, deps | {f"keys/{name.replace('@', '.')}.json": artifacts.md5(key)}, outs, params)
        project.stages[name]["cmd"] += f" {flags}"
        return made

    put("data/raw/tickets.jsonl", RAW)
    put("data/base/README.md", b"---\nlicense: llama3.1\n---\n")
    put("uv.lock", b"version = 1\n")
    ingested = stage(
        "ingest", "--raw data/raw --ingested data/rows.jsonl", {"data/raw": artifacts.measure(root / "data/raw").md5},
        {"data/rows.jsonl": RAW}, {"ingest": {"raw": "data/raw"}},
    )  # fmt: skip
    base = stage(
        "base", "--base models/base --log reports/train/base.json",
        {"data/base": artifacts.measure(root / "data/base").md5},
        {"models/base": model(0.0), "reports/train/base.json": b'{"kind": "folder", "license": "llama3.1"}'},
        {"base": {"kind": "folder", "source": "data/base"}},
    )  # fmt: skip
    trained = stage(
        "merge@sft", "--merged models/sft", {**ingested, "models/base": base["models/base"]},
        {"models/sft": model(scale)}, {"train": {"sft": {"learning_rate": 0.002}}},
    )  # fmt: skip
    quantized = stage(
        "quantize@Q8_0", "--quantized models/quantized/Q8_0", {"models/sft": trained["models/sft"]},
        {"models/quantized/Q8_0": {"model.gguf": gguf_bytes(scratch, scale)}}, {"quantize": {"Q8_0": {"from": "sft"}}},
    )  # fmt: skip
    verdict = {"verdict": "ALLOW", "same_answers": 1.0, "metrics": {"exact_match": {"model": 0.5, "file": 0.25}}}
    stage(
        "parity@Q8_0", "--parity reports/parity/Q8_0.json", quantized,
        {"reports/parity/Q8_0.json": json.dumps(verdict).encode()},
    )  # fmt: skip
    scores = {"chat": {"sft": {"exact_match": {"value": 0.5, "low": 0.4, "high": 0.6}}}}
    gate = {"verdict": "ALLOW", "gates": {"sft_answers": {"verdict": "ALLOW", "model": "sft"}}}
    outs = {
        "reports/metrics.json": put("reports/metrics.json", {"sft": {"exact_match": 0.5}}),
        "reports/comparison.json": json.dumps(scores).encode(),
        "reports/gate.json": put("reports/gate.json", gate),
    }
    flags = " ".join(f"--{Path(path).stem} {path}" for path in outs)
    stage("compare", flags, {"models/sft": trained["models/sft"]}, outs,
          {"compare": {"suite": "chat"}, "evaluate": {"models": ["sft"], "suites": ["chat"]}})  # fmt: skip
    declared = {"model": "sft", "name": "desk", "license": "MIT", "description": "Answers tickets."}
    stage(
        "card", "--card reports/card.md", {"reports/gate.json": artifacts.md5(outs["reports/gate.json"])},
        {"reports/card.md": CARD.encode()}, {"card": declared, "datasheet": {"license": "CC-BY-SA-4.0"}},
    )  # fmt: skip


def two_builds(root: Path, scratch: Path) -> MadeUpProject:
    """Two commits, of which the weights differ."""
    project = MadeUpProject(root)
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    build(project, 1.0, scratch)
    project.commit("First")
    build(project, 2.0, scratch)
    project.commit("Second")
    return project


def at(root: Path, project: MadeUpProject) -> MadeUpProject:
    """The project in another folder, where it was copied or cloned."""
    other = MadeUpProject.__new__(MadeUpProject)
    other.root, other.stages, other.timestamp = root, dict(project.stages), project.timestamp
    return other


def take(project: MadeUpProject, output: str, folder: Path) -> Path:
    """Copies the files of an output of the last build into a folder."""
    (out,) = [out for stage in project.stages.values() for out in stage["outs"] if out["path"] == output]
    folder.mkdir(parents=True, exist_ok=True)
    if not out["md5"].endswith(".dir"):
        shutil.copyfile(project.cached(out["md5"]), folder / Path(output).name)
        return folder
    for file in json.loads(project.cached(out["md5"]).read_text()):
        shutil.copyfile(project.cached(file["md5"]), folder / file["relpath"])
    return folder


def release(project: MadeUpProject, folder: Path) -> Path:
    """The quantized file of the last build, with its card as README.md."""
    take(project, "models/quantized/Q8_0", folder)
    (folder / "README.md").write_text(CARD)
    return folder


def write_receipts(project: MadeUpProject, folder: Path, revision: str = "HEAD") -> Path:
    from modelmake.receipts import documents

    for name, content in documents.of(project.root, folder, revision, DOMAIN).items():
        (folder / name).write_bytes(content)
    return folder


def keys(folder: Path, name: str) -> tuple[Path, Path]:
    """(private, public) key files of a new pair, in PEM."""
    folder.mkdir(parents=True, exist_ok=True)
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / f"{name}.pem").write_bytes(pem)
    (folder / f"{name}.pub").write_bytes(public)
    return folder / f"{name}.pem", folder / f"{name}.pub"
