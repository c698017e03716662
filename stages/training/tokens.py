"""The tokens of rows, each with those that the loss sees: what training reads, tokenized once."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from modelmake.errors import UserError
from stages.rows import parts
from stages.rows.row import Content, Message
from stages.training import chat_template
from stages.training.row_renderer import Rendering, RowRenderer

CHUNK = 256  # rows that are tokenized together


class Tokens(NamedTuple):
    """A text, or a prompt with one answer."""

    ids: list[int]
    trained: list[tuple[int, int]]  # (start, end) in `ids` of what the loss sees
    answer: int  # where the answer begins in `ids`, if the loss sees it alone; else 0

    @property
    def labels(self) -> list[int]:
        """The ids that the loss sees, -100 elsewhere."""
        labels = [-100] * len(self.ids)
        for start, end in self.trained:
            labels[start:end] = self.ids[start:end]
        return labels

    @property
    def n_trained(self) -> int:
        """How many tokens the loss sees. The first of all is read, not predicted: nothing comes before it."""
        return sum(end - max(start, 1) for start, end in self.trained if end > 1)

    def cut(self, length: int) -> "Tokens":
        """The first `length` tokens."""
        spans = [(start, min(end, length)) for start, end in self.trained if start < length]
        return Tokens(self.ids[:length], spans, min(self.answer, length))

    def pieces(self, length: int) -> list["Tokens"]:
        """All of it, in pieces of `length` tokens; the last may be shorter."""
        return [
            Tokens(
                self.ids[first : first + length],
                [
                    (max(start - first, 0), min(end - first, length))
                    for start, end in self.trained
                    if start < first + length and end > first
                ],
                0,
            )
            for first in range(0, len(self.ids), length)
        ]


class Encoded(NamedTuple):
    """A row as training reads it."""

    sides: list[Tokens]  # of a pair: chosen, rejected
    losses: list[tuple[str, str]]  # as in Rendering
    omitted: set[str]
    prompt_only: bool  # the model answers it itself

    @property
    def length(self) -> int:
        return max(len(side.ids) for side in self.sides)


def answers(content: Content) -> list[list[Message]]:
    """What follows the prompt: of a pair the chosen and the rejected answer, of a text nothing."""
    split = parts.split(content)
    return [answer for answer in (split.answer, split.rejected) if answer]


def count(content: Content, tokenizer: Any) -> int:
    """Tokens of a row, a text with its end token; of a pair, with the longer answer.

    0 if the chat template refuses the row: training tells.
    """
    split = parts.split(content)
    if split.text:
        return len(tokenizer(_ended(split.text, tokenizer))["input_ids"])
    try:
        texts = [chat_template.render(tokenizer, [*split.prompt, *a], split.tools).text for a in answers(content)]
    except UserError:
        return 0
    return max(map(len, tokenizer(texts, add_special_tokens=False)["input_ids"]))


def encode(contents: list[Content], tokenizer: Any, renderer: RowRenderer) -> Iterator[Encoded]:
    """Each row's tokens, in order. A text is followed by the end token, and the loss sees all of it."""
    for first in range(0, len(contents), CHUNK):
        chunk = contents[first : first + CHUNK]
        renderings = [_renderings(content, tokenizer, renderer) for content in chunk]
        special = bool(parts.split(chunk[0]).text)  # as TRL: bos, if the tokenizer adds one; templates write their own
        texts = [rendering.text for sides in renderings for rendering in sides]
        encoded = tokenizer(texts, add_special_tokens=special, return_offsets_mapping=True)
        tokenized = iter(zip(encoded["input_ids"], encoded["offset_mapping"], strict=True))
        for sides in renderings:
            losses = [loss for rendering in sides for loss in rendering.losses]
            tokens = [_tokens(rendering, *next(tokenized), renderer.loss) for rendering in sides]
            for rendering, side in zip(sides, tokens, strict=True):
                losses += _unknown(rendering.text, side.ids, tokenizer)
            omitted = {name for rendering in sides for name in rendering.omitted}
            yield Encoded(_aligned(tokens), losses, omitted, renderer.loss == "prompt")


def _renderings(content: Content, tokenizer: Any, renderer: RowRenderer) -> list[Rendering]:
    split = parts.split(content)
    if split.text:
        text = _ended(split.text, tokenizer)
        return [Rendering(text, [(0, len(text))], 0, [], set())]
    followed_by = [[]] if renderer.loss == "prompt" else answers(content)
    return [renderer.render(split.prompt, answer, split.tools) for answer in followed_by]


def _ended(text: str, tokenizer: Any) -> str:
    return text if text.endswith(tokenizer.eos_token) else text + tokenizer.eos_token


def _tokens(rendering: Rendering, ids: list[int], offsets: list[tuple[int, int]], loss: str) -> Tokens:
    """The tokens of a rendering; a token that is partly in what the loss sees counts as in it."""
    if loss == "all":
        return Tokens(ids, [(0, len(ids))] if rendering.trained else [], 0)
    starts, ends = [start for start, _ in offsets], [end for _, end in offsets]
    spans = [(bisect_right(ends, start), bisect_left(starts, end)) for start, end in rendering.trained]
    if loss == "answer":  # nothing is read after the end of the answer
        return Tokens(ids[: spans[0][1]], spans, spans[0][0]) if spans else Tokens(ids, [], len(ids))
    return Tokens(ids, spans, 0)


def _aligned(sides: list[Tokens]) -> list[Tokens]:
    """The sides with the same tokens before their answers: a token may join a prompt's end to one of them."""
    begin = min(side.answer for side in sides)
    while any(side.ids[:begin] != sides[0].ids[:begin] for side in sides):
        begin -= 1
    return [
        Tokens(side.ids, [(min(start, begin), end) for start, end in side.trained], begin)
        if side.answer > begin
        else side
        for side in sides
    ]


def _unknown(text: str, ids: list[int], tokenizer: Any) -> list[tuple[str, str]]:
    """The loss, if the text has characters for which the tokenizer has no token."""
    unknown = getattr(tokenizer.backend_tokenizer.model, "unk_token", None) or tokenizer.unk_token
    if unknown is None or (n := ids.count(tokenizer.convert_tokens_to_ids(unknown))) <= text.count(unknown):
        return []
    return [(f"characters for which the tokenizer has {unknown} only", f"{n} of them")]
