"""A dataset of the hub at a pinned revision: `name.hub.json`, {"repo", "revision"}, stands for its data files."""

import os
import re
from pathlib import Path

import msgspec

from modelmake.errors import UserError
from stages.containers import DOCUMENTS, READERS
from stages.containers.stream import COMPRESSED

PIN = ".hub.json"
WANTED = [f"*{suffix}{c}" for suffix in READERS if suffix not in DOCUMENTS for c in ("", *COMPRESSED)]  # no README


def fetch(pin: Path) -> Path:
    """The folder of the pinned dataset's data files; from the hub's cache when offline.

    A gated dataset wants a token in HF_TOKEN; no other is ever read.

    Raises:
        UserError: the pin is none, or the dataset cannot be had; what to do.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        found = msgspec.json.decode(pin.read_bytes())
    except msgspec.DecodeError as error:
        found = str(error)
    repo, revision = (found.get("repo"), found.get("revision")) if isinstance(found, dict) else (None, None)
    if not isinstance(repo, str) or not isinstance(revision, str) or not re.fullmatch("[0-9a-f]{40}", revision):
        raise UserError(f'{pin}: found {found}: want {{"repo": "org/name", "revision": 40 hex digits}}')
    where = f"{pin}: {repo}@{revision[:8]}"
    try:
        token = os.environ.get("HF_TOKEN", False)
        return Path(snapshot_download(repo, repo_type="dataset", revision=revision, token=token, allow_patterns=WANTED))
    except LocalEntryNotFoundError:
        raise UserError(
            f"{where} is not in the hub's cache, and this build is offline: run once with HF_HUB_OFFLINE=0"
        ) from None
    except (HfHubHTTPError, ValueError) as error:  # no such repository, gated, no revision, no such name
        raise UserError(f"{where}: the hub says: {str(error).splitlines()[0]}; look at its page there") from None
