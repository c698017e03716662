"""Signs a folder. Reads {key, folder, signature} as JSON from stdin; writes {problem}, which is "" if it is signed."""

import contextlib
import json
import sys
from pathlib import Path

from model_signing import hashing, signing

asked = json.load(sys.stdin)
folder = Path(asked["folder"])
signature = folder / asked["signature"]
config = hashing.Config().set_ignored_paths(paths=[signature], ignore_git_paths=False)
problem = ""
try:
    signer = signing.Config().use_elliptic_key_signer(private_key=Path(asked["key"])).set_hashing_config(config)
    with contextlib.redirect_stdout(sys.stderr):
        signer.sign(folder, signature)
except Exception as error:  # of the key, of the folder, of cryptography
    problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
json.dump({"problem": problem}, sys.stdout)
