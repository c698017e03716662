"""A cache of keys and values with room for more tokens, in which a step copies none of the tokens before."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 64  # tokens that a layer makes room for at once


class RoomyLayer(DynamicLayer):
    """Keys and values (B, heads, T, width) of full attention, at the beginning of larger buffers.

    transformers' own layer copies all of them at every token.
    """

    def __init__(self) -> None:
        super().__init__()
        self.buffers: list[torch.Tensor] = []
        self.length = 0  # T

    def begin_with(self, other: "RoomyLayer") -> None:
        """Starts with the tokens of a layer of one row, as those of every row to come."""
        self.dtype, self.device, self.is_initialized = other.dtype, other.device, True
        self.keys, self.values, self.length = other.keys, other.values, other.length

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Adds tokens, and returns all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.length + key_states.shape[-2]
        if not self.buffers or end > self.buffers[0].shape[-2]:
            self.buffers = [
                self._roomier(kept, added, end + ROOM)
                for kept, added in ((self.keys, key_states), (self.values, value_states))
            ]
        for buffer, added in zip(self.buffers, (key_states, value_states), strict=True):
            buffer[: len(added), :, self.length : end] = added
        self.length = end
        return self._show(len(key_states))

    def _roomier(self, kept: torch.Tensor, added: torch.Tensor, tokens: int) -> torch.Tensor:
        buffer = added.new_empty((len(added), added.shape[1], tokens, added.shape[3]))
        if self.length:
            buffer[:, :, : self.length] = kept
        return buffer

    def _show(self, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        self.keys, self.values = (buffer[:rows, :, : self.length] for buffer in self.buffers)
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self.length

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        """Keeps these rows, in this order. Of fewer than there are, only those that change their place are copied."""
        rows = beam_idx.tolist()
        if len(rows) > len(self.keys):
            self.buffers = [buffer.index_select(0, beam_idx) for buffer in self.buffers]
        elif moved := [place for place, row in enumerate(rows) if place != row]:
            for buffer in self.buffers:
                buffer[moved, :, : self.length] = buffer[[rows[place] for place in moved], :, : self.length]
        self._show(len(rows))


def make(config: Any, beginning: DynamicCache | None = None) -> DynamicCache:
    """An empty cache for a model, or one that has the tokens of `beginning`, a cache of one row, for every row.

    Layers of other kinds than full attention (sliding windows, linear attention) are transformers' own.
    """
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    for layer, other in zip(cache.layers, beginning.layers if beginning else (), strict=False):
        layer.begin_with(other)
    return cache


def survivors(going: Sequence[bool]) -> list[int]:
    """The rows that go on: each in its place, but the last ones in the places of those that ended."""
    kept = [row for row, goes in enumerate(going) if goes]
    last = [row for row in kept if row >= len(kept)]
    return [row if going[row] else last.pop() for row in range(len(kept))]
