"""Signatures of folders by OpenSSF model-signing, which runs in the environment envs/signing.

What it checks is checked here once more, file by file: a signature of its own command leaves out what its signer let it
leave out, `.git*` by default, and says of a difference only that there is one.
"""

import base64
import binascii
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from modelmake.receipts import digests
from modelmake.running import state_dir

PROJECT = Path(__file__).parents[2]
ENVIRONMENT = PROJECT / "envs/signing"
SIGNATURE = "model.sig"
PRIVATE, PUBLIC = "PRIVATE KEY", "PUBLIC KEY"  # ends of the first line of a PEM file
MAKE = "docs/receipts.md says how to make one"


def key(path: Path, kind: str) -> Path:
    """The path of a key in PEM, if it is one.

    Raises:
        UserError: it is none of this kind.
    """
    try:
        first = path.read_text("ascii").lstrip().partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", "no text")
        raise UserError(f"{path}: {reason}: want a {kind.lower()} in PEM; {MAKE}") from None
    if "BEGIN" not in first or kind not in first:
        raise UserError(f"{path}: begins with {first[:40]!r}: want a {kind.lower()} in PEM, without a password; {MAKE}")
    return path.absolute()


def sign(folder: Path, private_key: Path) -> int:
    """Writes the signature of everything in a folder into it; returns the number of files that it covers.

    Raises:
        UserError: model-signing refuses the key or the folder, or would leave a file out.
    """
    digests.of_folder(folder)  # refuses links before anything is written
    answer = _run("sign.py", {"key": str(private_key), "folder": str(folder.absolute()), "signature": SIGNATURE})
    if answer["problem"]:
        raise UserError(f"{folder}: model-signing: {answer['problem']}; {MAKE}")
    if left_out := problems(folder, _resources((folder / SIGNATURE).read_bytes())):
        (folder / SIGNATURE).unlink()
        raise UserError(f"{folder}: not signed: {'; '.join(left_out)}")
    return len(digests.of_folder(folder)) - 1


def check(folders: list[Path], public_key: Path) -> dict[Path, list[str]]:
    """{folder: everything that is wrong} by the signature in each folder; nothing is wrong where the list is empty.

    Raises:
        UserError: the environment cannot be built.
    """
    there = [folder for folder in folders if (folder / SIGNATURE).is_file()]
    asked = {"key": str(public_key), "folders": [str(folder.absolute()) for folder in there], "signature": SIGNATURE}
    refused = _run("check.py", asked)["problems"] if there else {}
    found = {}
    for folder in folders:
        if folder not in there:
            found[folder] = [f"{folder}: no {SIGNATURE}: not signed"]
            continue
        refusal = refused[str(folder.absolute())]
        try:
            differences = problems(folder, _resources((folder / SIGNATURE).read_bytes()))
        except UserError as error:
            differences = [str(error)]
        found[folder] = differences or ([f"{folder / SIGNATURE}: {refusal}"] if refusal else [])
    return found


def problems(folder: Path, signed: dict[str, str]) -> list[str]:
    """What differs between the files of a folder and what a signature names, a phrase each.

    Args:
        signed: {path: SHA-256}.
    """
    there = {name: digest.sha256 for name, digest in digests.of_folder(folder).items() if name != SIGNATURE}
    return [
        *(f"{name}: missing" for name in sorted(signed.keys() - there.keys())),
        *(f"{name}: not in the signature" for name in sorted(there.keys() - signed.keys())),
        *(f"{name}: not the signed bytes" for name, sha256 in there.items() if signed.get(name, sha256) != sha256),
    ]


def _resources(signature: bytes) -> dict[str, str]:
    """{path: SHA-256} that a signature names. Whether it is genuine is another question."""
    try:
        statement = json.loads(base64.b64decode(json.loads(signature)["dsseEnvelope"]["payload"]))
        entries = statement["predicate"]["resources"]
        if strange := {entry["algorithm"] for entry in entries} - {"sha256"}:
            raise UserError(f"{SIGNATURE}: of hashes by {', '.join(sorted(strange))}: want sha256")
        return {entry["name"]: entry["digest"] for entry in entries}
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise UserError(f"{SIGNATURE}: no signature of model-signing: want one; sign the folder anew") from None


def _run(script: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The answer of a script of the environment, which uv installs from its lock at the first use."""
    venv = state_dir.tool_environment(PROJECT, ENVIRONMENT)
    command = ["uv", "run", "-q", "--project", str(ENVIRONMENT), "--frozen", "python", str(ENVIRONMENT / script)]
    variables = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(venv)}
    done = subprocess.run(command, input=json.dumps(asked), env=variables, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise UserError(
            f"{ENVIRONMENT / script}: failed with exit code {done.returncode}: see its output above (the first use "
            "installs the environment, which needs the network)"
        )
    return json.loads(done.stdout)
