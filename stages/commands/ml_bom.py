"""A release as a CycloneDX 1.6 document of a machine-learning model: its model card, base, data, packages, licences.

Written as plain JSON: cyclonedx-python-lib leaves the model card out (findings/cyclonedx_drops_the_model_card.sh).
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from modelmake.errors import UserError
from modelmake.receipts import statement
from modelmake.receipts.digests import Digest
from modelmake.receipts.released import Released
from stages.commands import model_parts, shipping
from stages.commands.compare_builds import Build
from stages.evaluating.verdicts import of_all
from stages.params import licences

SCHEMA, VERSION = "http://cyclonedx.org/schema/bom-1.6.schema.json", "1.6"
MODEL, BASE = "model", "base"  # references within the document
Json = dict[str, Any]


def of(released: Released) -> Json:
    """The document, as JSON values.

    Raises:
        UserError: reports of the build are neither in git nor in the cache.
    """
    build = Build(released.root, released.revision)
    data = [*_data(released)]
    packages = [
        {"type": "library", "bom-ref": statement.purl(*package), "name": package[0], "version": package[1],
         "purl": statement.purl(*package)} for package in released.packages.items()
    ]  # fmt: skip
    model = _model(released, build)
    if build.missing:
        raise UserError(f"{', '.join(build.missing)}: not here: want the reports of the build; run `dvc pull`")
    used = sorted(component["bom-ref"] for component in (*data, *packages))
    identity = "".join([released.revision.commit, *(f"{name} {d.sha256}" for name, d in released.files.items())])
    return {
        "$schema": SCHEMA, "bomFormat": "CycloneDX", "specVersion": VERSION, "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, identity)}",
        "metadata": {
            "timestamp": datetime.fromtimestamp(released.timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),  # the commit's
            "tools": {"components": [{"type": "application", "name": "modelmake"}]},
            "component": model,
        },
        "components": [_base(released, build), *data, *packages],
        "dependencies": [{"ref": MODEL, "dependsOn": [BASE, *used]}],
    }  # fmt: skip


def _model(released: Released, build: Build) -> Json:
    params = released.params
    description = params.get("card.description")
    terms = (params.get("datasheet.license"), _base_licence(build), params.get("card.license"))
    told = {f"licence conflict {n}": phrase for n, phrase in enumerate(licences.conflicts(*terms), 1)}
    told |= {f"licence unknown {n}": phrase for n, phrase in enumerate(licences.unknown(*terms), 1)}
    return {
        "type": "machine-learning-model", "bom-ref": MODEL, "name": params.get("card.name") or "model",
        "version": released.revision.short, **({"description": description} if description else {}),
        **_licences(params.get("card.license")),
        "components": [
            {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": _hashes(digest),
             "properties": _properties({"recorded": released.recorded[name], "bytes": digest.size})}
            for name, digest in released.files.items()
        ],
        "modelCard": _card(released, build),
        "properties": _properties({
            "commit": released.revision.commit, **told,
            "packages of envs/": "not listed; keys of stages name the hashes of their locks",
            **{f"output {out}": md5 for out, md5 in released.outputs.items()},
        }),
    }  # fmt: skip


def _card(released: Released, build: Build) -> Json:
    found = [model_parts.architecture(released.folder / name) for name in released.files]
    family, architecture = next((f for f, _ in found if f), ""), next((a for _, a in found if a), "")
    names = {name: name if len(released.files) > 1 else "" for name in released.files}
    templates = {
        f"chat_template {names[file]} {name}".replace("  ", " "): template
        for file in released.files for name, template in model_parts.templates(released.folder / file).items()
    }  # fmt: skip
    known = {name for path in released.outputs for name in shipping.names(released.revision, path)}
    gates = build.report("stages.compare", "gate").get("gates", {})
    gates = {name: entry for name, entry in gates.items() if entry.get("model") in known}
    return {
        "modelParameters": {
            "task": "text-generation", **({"architectureFamily": family} if family else {}),
            **({"modelArchitecture": architecture} if architecture else {}),
            "datasets": [{"ref": c["bom-ref"]} for c in _data(released) if c["data"][0]["type"] == "dataset"],
            "inputs": [{"format": "text"}], "outputs": [{"format": "text"}],
        },
        "quantitativeAnalysis": {"performanceMetrics": [*_metrics(build), *_parity(released, build)]},
        "properties": _properties({
            **templates, "gates": of_all(gates) if gates else "none looks at it",
            **{f"gate {name}": entry["verdict"] for name, entry in gates.items()},
            **{f"parameter {stage.name} {name}": msgspec.json.encode(value).decode()
               for stage in released.chain for name, value in stage.params.items()},
        }),
    }  # fmt: skip


def _metrics(build: Build) -> Iterator[Json]:
    """The scores of the card's model, with their intervals."""
    for suite, models in build.report("stages.compare", "comparison").items():
        for name, entry in models.get(build.model, {}).items():
            bounds = {"lowerBound": str(entry["low"]), "upperBound": str(entry["high"])} if "low" in entry else {}
            yield {"type": name, "value": str(entry["value"]), "slice": f"suite {suite}, model {build.model}",
                   **({"confidenceInterval": bounds} if bounds else {})}  # fmt: skip


def _parity(released: Released, build: Build) -> Iterator[Json]:
    """The scores of the quantized files among those released."""
    quantized = build.recorded("stages.quantize", "quantized")
    for quant, report in build.reports("stages.parity", "parity").items():
        if quantized.get(quant) in released.outputs:
            yield {"type": "parity", "value": str(report["verdict"]), "slice": f"file {quant}"}
            for name, entry in report.get("metrics", {}).items():
                if "file" in entry:
                    yield {"type": name, "value": str(entry["file"]), "slice": f"file {quant}"}


def _base(released: Released, build: Build) -> Json:
    """The model that training started from: of the hub, a folder, or trained here."""
    params = released.params
    kind, source = params.get("base.kind", "unknown"), params.get("base.source", "")
    files = released.inputs.get(source, {})
    pin = _pin(released, source) if kind == "hub" else {}
    name = pin.get("repo") or (source.rpartition("/")[2] if kind == "folder" else f"{kind} base")
    version = {"version": pin["revision"], "purl": f"pkg:huggingface/{pin['repo']}@{pin['revision']}"} if pin else {}
    hashes = {f"{source}/{inner}".rstrip("/"): digest.sha256 for inner, digest in files.items()}
    outs = [(path, md5) for stage in released.chain if stage.name == "base" for path, md5 in stage.outs.items()]
    return {
        "type": "machine-learning-model", "bom-ref": BASE, "name": name, **version, **_licences(_base_licence(build)),
        "properties": _properties({
            "kind": kind, **{f"sha256 {path}": value for path, value in hashes.items()},
            **{f"output {path}": md5 for path, md5 in outs},
        }),
    }  # fmt: skip


def _pin(released: Released, source: str) -> dict[str, str]:
    content = released.revision.file(released.root, source) or _read(released.root / source)
    pin = msgspec.json.decode(content)
    return {"repo": pin["repo"], "revision": pin["revision"]}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}: want the pin of the base, in git or here") from None


def _base_licence(build: Build) -> str | None:
    log = build.report("stages.base", "log")
    return build.params.get("datasheet.license") if log.get("kind") == "tiny" else log.get("license")


def _data(released: Released) -> Iterator[Json]:
    """What no stage made, without the source of the base: the raw rows, and other files that stages read."""
    params = released.params
    raw = params.get("ingest.raw")
    for path, files in released.inputs.items():
        if path == params.get("base.source"):
            continue
        listed = _properties({f"sha256 {path}/{inner}".rstrip("/"): digest.sha256 for inner, digest in files.items()})
        yield {
            "type": "data", "bom-ref": f"data:{path}", "name": path,
            **(_licences(params.get("datasheet.license")) if path == raw else {}),
            "data": [{"type": "dataset" if path == raw else "other", "name": path, "contents": {"properties": listed}}],
        }  # fmt: skip


def _licences(licence: str | None) -> Json:
    """A licence by its SPDX identifier where it is known to be one, else by name; nothing where none is declared."""
    if licence is None:
        return {}
    name = licences.spelt(licence)
    if name in licences.SPDX:
        return {"licenses": [{"license": {"id": name}}]}
    address = {"url": name} if name.startswith(("http://", "https://")) else {}
    return {"licenses": [{"license": {"name": name, **address}}]}


def _hashes(digest: Digest) -> list[Json]:
    return [{"alg": "MD5", "content": digest.md5}, {"alg": "SHA-256", "content": digest.sha256}]


def _properties(values: dict[str, Any]) -> list[Json]:
    return [{"name": f"modelmake:{name}", "value": str(value)} for name, value in values.items()]
