"""What `modelmake plan` foresees, kept on this machine by all that it was computed from, as computing it takes seconds.

Entries are files in the per-machine state folder, named by a hash of the question, of every module in stages/ and of
the locked packages. One that cannot be read counts as not there.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from modelmake.running import state_dir

FOLDER = "foreseen"  # in the state folder
STAGES = Path(__file__).parents[1]


def remembered(root: Path, question: Any, answer: Callable[[], Any]) -> Any:
    """`answer()`, a JSON value, computed unless it is known for this `question`, a JSON value of all that it reads."""
    asked = hashlib.sha256(msgspec.json.encode(question, order="deterministic"))
    for file in [*sorted(STAGES.rglob("*.py")), root / "uv.lock"]:
        asked.update(hashlib.sha256(file.read_bytes() if file.is_file() else b"").digest())
    file = state_dir.folder(root) / FOLDER / f"{asked.hexdigest()}.json"
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(file.read_bytes())
    answered = answer()
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError):  # a full disk is no error: the next plan computes
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(msgspec.json.encode(answered))
            os.replace(partial, file)
        finally:
            partial.unlink(missing_ok=True)
    return answered
