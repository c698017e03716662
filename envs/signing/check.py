"""Checks signatures of folders. Reads {key, folders, signature} as JSON from stdin.

Writes {problems: {folder: problem}}; a problem is "" where the signature holds.
"""

import contextlib
import json
import sys
from pathlib import Path

from model_signing import hashing, verifying


def problem(folder: Path, signature: Path, key: Path) -> str:
    config = hashing.Config().set_ignored_paths(paths=[signature], ignore_git_paths=False)
    try:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=key).set_hashing_config(config)
        with contextlib.redirect_stdout(sys.stderr):  # it prints warnings
            verifier.verify(folder, signature)
    except Exception as error:  # a signature may hold anything
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    return ""


asked = json.load(sys.stdin)
json.dump({"problems": {
    folder: problem(Path(folder), Path(folder) / asked["signature"], Path(asked["key"])) for folder in asked["folders"]
}}, sys.stdout)  # fmt: skip
