"""The turns of a row as chat templates take them."""

from typing import Any

import msgspec

from stages.rows.row import Message


def template_messages(turns: list[Message]) -> list[dict[str, Any]]:
    """Each turn as a dict, without `train`, which is no field of templates."""
    return [{k: v for k, v in msgspec.to_builtins(turn).items() if k != "train"} for turn in turns]
