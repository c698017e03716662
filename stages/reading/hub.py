"""Models and datasets of the Hugging Face hub, fetched at the revision that a pin names."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from modelmake.errors import UserError


def fetch(pin: Path, kind: Literal["model", "dataset"], patterns: Sequence[str]) -> Path:
    """Folder with the files of a pinned repository that match `patterns`; from the hub's cache when offline.

    Gated repositories need a token in HF_TOKEN; no stored token is ever read.

    Args:
        pin: JSON file {"repo": "org/name", "revision": 40 hex digits of a commit}.

    Raises:
        UserError: the file is not a pin, or the repository cannot be fetched.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        content = msgspec.json.decode(pin.read_bytes())
    except msgspec.DecodeError as error:
        content = str(error)
    repo, revision = (content.get("repo"), content.get("revision")) if isinstance(content, dict) else (None, None)
    if not isinstance(repo, str) or not isinstance(revision, str) or not re.fullmatch("[0-9a-f]{40}", revision):
        raise UserError(f'{pin}: found {content}: want {{"repo": "org/name", "revision": 40 hex digits}}')
    where = f"{pin}: {repo}@{revision[:8]}"
    try:
        token = os.environ.get("HF_TOKEN", False)
        return Path(
            snapshot_download(repo, repo_type=kind, revision=revision, token=token, allow_patterns=list(patterns))
        )
    except LocalEntryNotFoundError:
        raise UserError(
            f"{where} is not in the hub's cache, and this build is offline: run once with HF_HUB_OFFLINE=0"
        ) from None
    except GatedRepoError:
        raise UserError(
            f"{where} is gated: want its licence accepted on its page of the hub, and a token in HF_TOKEN"
        ) from None
    except (HfHubHTTPError, ValueError) as error:  # no such repository or revision, or an invalid name
        raise UserError(f"{where}: the hub says: {str(error).splitlines()[0]}; look at its page there") from None
