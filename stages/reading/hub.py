"""Models and datasets of the hub, at the revision that a pin names: a JSON file {"repo", "revision"}."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from modelmake.errors import UserError


def fetch(pin: Path, kind: Literal["model", "dataset"], wanted: Sequence[str]) -> Path:
    """The folder of its files that fit the patterns `wanted`; from the hub's cache when offline.

    What is gated wants a token in HF_TOKEN; no other is ever read.

    Raises:
        UserError: the pin is none, or what it names cannot be had; what to do.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

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
        found = snapshot_download(repo, repo_type=kind, revision=revision, token=token, allow_patterns=list(wanted))
        return Path(found)
    except LocalEntryNotFoundError:
        raise UserError(
            f"{where} is not in the hub's cache, and this build is offline: run once with HF_HUB_OFFLINE=0"
        ) from None
    except GatedRepoError:
        raise UserError(
            f"{where} is gated: want its licence accepted on its page of the hub, and a token in HF_TOKEN"
        ) from None
    except (HfHubHTTPError, ValueError) as error:  # no such repository, gated, no revision, no such name
        raise UserError(f"{where}: the hub says: {str(error).splitlines()[0]}; look at its page there") from None
