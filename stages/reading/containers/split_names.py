"""Splits that names of files and of arrays in JSON documents give."""

import re

NAMES = {"train": "train", "val": "val", "validation": "val", "dev": "val", "test": "test"}
SHARD = re.compile(r"-\d+-of-\d+$")  # suffix of the parts of a split on the hub


def split_from_name(name: str) -> str:
    """The split of a name such as `train`, `validation`, `oos_test` or `train-00000-of-00002`; "" for other names."""
    name = SHARD.sub("", name)
    return next((split for n, split in NAMES.items() if name == n or name.endswith(f"_{n}")), "")
