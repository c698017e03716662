"""A release as an in-toto statement (v1) with SLSA provenance (v1): its files, and what made them of what.

Neither a clock nor a machine is in it. Builds have a run log, on the machine that ran them; a commit has the time.
"""

from typing import Any
from urllib.parse import quote

from modelmake.receipts.digests import Digest
from modelmake.receipts.released import Released

STATEMENT, PROVENANCE = "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"
BUILDER = "pkg:generic/modelmake"
BUILD_TYPE = f"{BUILDER}#docs/receipts.md"  # which says what the parameters mean


def of(released: Released) -> dict[str, Any]:
    """The statement, as JSON values."""
    return {
        "_type": STATEMENT,
        "subject": [
            _resource(name, digest, recorded=released.recorded[name]) for name, digest in released.files.items()
        ],
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "commit": released.revision.commit,
                    "outputs": released.outputs,
                    "stages": {
                        stage.name: {
                            "cmd": stage.record.get("cmd", ""), "params": stage.params, "outs": stage.outs,
                        } for stage in released.chain
                    },
                },
                "internalParameters": {},
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": released.revision.commit}},
                    *(_resource(path, digest) for path, digest in released.in_git.items()),
                    *(
                        _resource(f"{path}/{inner}".rstrip("/"), digest, input=path)
                        for path, files in released.inputs.items() for inner, digest in files.items()
                    ),
                    *({"name": name, "uri": purl(name, version)} for name, version in released.packages.items()),
                ],
            },
            "runDetails": {
                "builder": {"id": BUILDER},
                "metadata": {"invocationId": released.revision.commit},
                "byproducts": [_resource(path, digest) for path, digest in released.reports.items()],
            },
        },
    }  # fmt: skip


def purl(name: str, version: str) -> str:
    """The address of a Python package, as the purl specification writes it."""
    return f"pkg:pypi/{name.lower().replace('_', '-')}@{quote(version, safe='')}"


def _resource(name: str, digest: Digest, **annotations: Any) -> dict[str, Any]:
    """A ResourceDescriptor of in-toto."""
    return {"name": name, "digest": digest.as_set, "annotations": {"bytes": digest.size, **annotations}}
