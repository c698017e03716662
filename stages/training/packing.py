"""Several rows in one block of tokens: none is cut, and none sees another.

Positions begin at 0 again with each row, and there is no padding mask: by that transformers knows packed rows, and
keeps attention within each.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import Any


def blocks(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Which items share a block of at most `size` tokens, by best fit, the longest first.

    Args:
        lengths: tokens of each item, none above `size`.
    """
    packed: list[list[int]] = []
    with_room: dict[int, list[int]] = {}  # tokens left -> blocks
    rooms: list[int] = []  # its keys, sorted
    for item in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        at = bisect_left(rooms, lengths[item])
        if at == len(rooms):
            block, room = len(packed), size
            packed.append([])
        else:
            room = rooms[at]
            block = with_room[room].pop()
            if not with_room[room]:
                rooms.pop(at)
        packed[block].append(item)
        left = room - lengths[item]
        if left:
            if not with_room.setdefault(left, []):
                insort(rooms, left)
            with_room[left].append(block)
    return packed


def collator(pad_token_id: int) -> Callable[[list[dict[str, Any]]], dict[str, Any]]:
    """Makes batches of blocks {input_ids, position_ids, labels}. Each padding token is a row of its own, unseen."""
    import torch

    def collate(examples: list[dict[str, Any]]) -> dict[str, Any]:
        longest = max(len(example["input_ids"]) for example in examples)
        fillers = {"input_ids": pad_token_id, "position_ids": 0, "labels": -100}
        batch = {
            name: torch.tensor(
                [example[name] + [filler] * (longest - len(example[name])) for example in examples]
            )  # (B, T)
            for name, filler in fillers.items()
        }
        return batch | {"tokens": torch.tensor([len(example["input_ids"]) for example in examples])}

    return collate


def leaks(model: Any, block: dict[str, Any]) -> bool:
    """Whether what a model says of a block's last row depends on the rows before it."""
    import torch

    begins = max(place for place, position in enumerate(block["position_ids"]) if not position)
    ids = torch.tensor([block["input_ids"]] * 2, device=model.device)  # two, as in a batch
    others = ids.clone()
    others[:, :begins] = (ids[:, :begins] + 1) % model.get_input_embeddings().num_embeddings
    positions = torch.tensor([block["position_ids"]] * 2, device=model.device)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        said, otherwise = (
            model(input_ids=tokens, position_ids=positions, use_cache=False).logits[:, begins:]
            for tokens in (ids, others)
        )
    model.train(was_training)
    return bool((said - otherwise).abs().max() > 1e-3 * said.abs().max())
