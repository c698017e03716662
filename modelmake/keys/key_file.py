"""Paths of key files: `keys/<stage>.json`, and the resolved graph beside them."""

FOLDER = "keys"
GRAPH = "graph.json"  # the resolved graph, in the folder


def path_of(stage: str) -> str:
    """The key file of a stage by its DVC name, from the project's root: `keys/train.sft.json` of train@sft."""
    return f"{FOLDER}/{stage.replace('@', '.')}.json"
