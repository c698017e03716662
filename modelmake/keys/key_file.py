"""Where preflight writes keys: `keys/<stage>.json`, and the graph beside them."""

FOLDER = "keys"
GRAPH = "graph.json"  # in the folder: the resolved graph


def path_of(stage: str) -> str:
    """The key file of a stage by its DVC name, from the project's root: train@sft has keys/train.sft.json."""
    return f"{FOLDER}/{stage.replace('@', '.')}.json"
