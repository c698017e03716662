"""The split that a name speaks of: of a file, or of an array in a JSON document."""

import re

NAMES = {"train": "train", "val": "val", "validation": "val", "dev": "val", "test": "test"}
SHARD = re.compile(r"-\d+-of-\d+$")  # as the hub names the parts of a split


def named(name: str) -> str:
    """The split of `train`, `validation`, `oos_test`, `train-00000-of-00002`; "" where the name tells none."""
    name = SHARD.sub("", name)
    return next((split for n, split in NAMES.items() if name == n or name.endswith(f"_{n}")), "")
