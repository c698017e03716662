"""Key files, which preflight writes: `keys/<stage>.json`, and the resolved graph beside them."""

import json
from pathlib import Path
from typing import Any

FOLDER = "keys"
GRAPH = "graph.json"  # the resolved graph, in the folder


def path_of(stage: str) -> str:
    """The key file of a stage by its DVC name, from the project's root: `keys/train.sft.json` of train@sft."""
    return f"{FOLDER}/{stage.replace('@', '.')}.json"


def is_in_folder(path: str) -> bool:
    """True for a path from the project's root that preflight writes: a key, or what stages read beside the keys."""
    return path.startswith(f"{FOLDER}/")


def read(root: Path, stage: str) -> dict[str, Any]:
    """The key in a stage's key file; empty if there is none."""
    file = root / path_of(stage)
    return json.loads(file.read_bytes()) if file.is_file() else {}
