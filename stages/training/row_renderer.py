"""Renders rows for training, and says which of their texts a chat template loses, or marks wrongly for the loss.

A row's shape is the row without its texts. The first row of each shape is rendered with placeholders in their place,
which shows what the template does with each of them. Every row's own texts must then be found in its own rendering: in
the same order, and those of an assistant turn in the same block.
"""

from typing import Any, Literal, NamedTuple

from modelmake.errors import UserError
from stages.rows.row import Message
from stages.training import chat_template, row_texts
from stages.training.row_texts import StandIn

# What the loss sees: assistant turns, by the template's {% generation %} blocks; the answer alone; every token; or
# nothing of the row but its prompt is read, which the model answers itself.
Loss = Literal["assistant", "answer", "all", "prompt"]
Span = tuple[int, int]  # (start, end)


class Rendering(NamedTuple):
    text: str
    trained: list[Span]  # in `text`: what the loss sees
    answer: int  # where the answer begins in `text`, if the loss sees it alone; else 0
    losses: list[tuple[str, str]]  # (what is wrong, with which text): empty for a row that can be trained on
    omitted: set[str]  # fields that the template leaves out, as the step allows


class Place(NamedTuple):
    """Where the template writes a text."""

    text: int  # index in StandIn.texts
    block: int  # -1: in none
    after: int  # number of blocks before it


class Shape(NamedTuple):
    order: list[Place]  # as rendered
    turns: list[int]  # of each block
    lead: str  # what blocks begin with, though the generation prompt ends with it
    losses: list[tuple[str, int]]  # (what is wrong, with which text)
    omitted: set[str]


class RowRenderer:
    """Renders rows with one template, for one step.

    Args:
        stops: the tokens at which generation stops, as text.
        omit: fields that the template may leave out.
    """

    def __init__(self, tokenizer: Any, loss: Loss, stops: list[str], omit: list[str]) -> None:
        self.tokenizer, self.loss, self.stops, self.omit = tokenizer, loss, tuple(stops), omit
        self.shapes: dict[bytes, Shape] = {}

    def render(self, prompt: list[Message], answer: list[Message], tools: list[dict[str, Any]]) -> Rendering:
        """The rendering of a prompt and what follows it; nothing does if the prompt alone is read."""
        turns, stand_in = [*prompt, *answer], row_texts.stand_in([*prompt, *answer], tools)
        try:
            if stand_in.shape not in self.shapes:
                self.shapes[stand_in.shape] = self._shape(stand_in, len(prompt))
            text, blocks, asked = self._render(turns, tools, len(prompt))
        except UserError as error:
            return Rendering("", [], 0, [(str(error), "")], set())
        shape = self.shapes[stand_in.shape]
        losses = [(loss, stand_in.texts[at].forms[-1] if at >= 0 else "") for loss, at in shape.losses]
        if not losses and len(blocks) != len(shape.turns):
            losses = [("what is marked for the loss depends on the words of the row", "")]
        if losses:
            return Rendering(text, [], asked, losses, shape.omitted)
        losses, omitted = self._missing(stand_in, shape, text, blocks)
        losses += self._early_stops(stand_in, turns, len(prompt) if self.loss in ("answer", "prompt") else 0)
        if self.loss == "all":
            trained = [(0, len(text))]
            losses += [("turns that are not to be trained: want assistant_only_loss = True", "")] * any(
                not turn.train for turn in turns
            )
        else:
            trained = [
                self._trained_span(text, span, shape.lead if shape.turns.index(turn) == n else "")
                for n, (span, turn) in enumerate(zip(blocks, shape.turns, strict=True))
                if turns[turn].train
            ]
        return Rendering(text, trained, asked, losses, shape.omitted | omitted)

    def _render(self, turns: list[Message], tools: list[dict[str, Any]], n_prompt: int) -> tuple[str, list[Span], int]:
        """The text, its blocks, and where the answer begins.

        Raises:
            UserError: the template refuses the row, or does not begin it as it renders the prompt.
        """
        text, blocks = chat_template.render(self.tokenizer, turns, tools, prompt=self.loss == "prompt")
        if self.loss != "answer":
            return text, blocks if self.loss == "assistant" else [], 0
        asked = chat_template.render(self.tokenizer, turns[:n_prompt], tools, prompt=True).text
        if not text.startswith(asked):
            raise UserError(f"answers do not follow the generation prompt, which ends with {asked[-40:]!r}")
        return text, [(len(asked), len(text))], len(asked)

    def _shape(self, stand_in: StandIn, n_prompt: int) -> Shape:
        turns = stand_in.turns
        text, blocks, _ = self._render(turns, stand_in.tools, n_prompt)
        words = {"assistant": [i for i, turn in enumerate(turns) if turn.role == "assistant"], "all": []}
        trained = words.get(self.loss, list(range(n_prompt, len(turns))))
        places, losses, omitted = self._places(stand_in, text, blocks)
        owners: list[int] = trained if len(blocks) == len(trained) else [-1] * len(blocks)
        for _, place in places:
            role, turn = turns[stand_in.texts[place.text].turn].role, stand_in.texts[place.text].turn
            field = stand_in.texts[place.text].field
            if place.block >= 0 and owners[place.block] == -1:
                owners[place.block] = turn
            if turn in trained and place.block < 0:
                losses.append((f"{field} of an assistant turn is outside its {{% generation %}} block", place.text))
            elif place.block >= 0 and (turn not in trained or owners[place.block] != turn):
                owner = "a tool's schema" if turn < 0 else f"another {role} turn"
                losses.append((f"{field} of {owner} is in an answer's {{% generation %}} block", place.text))
        for n, (start, end) in enumerate(blocks):
            if owners[n] == -1 and n and text[start:end].strip() in self.stops:
                owners[n] = owners[n - 1]  # some templates mark one more end token
        if self.loss == "assistant" and not losses and (-1 in owners or {*owners} != {*trained}):
            losses.append(("want a {% generation %} block around each assistant turn, and no other", -1))
        lead = ""
        if self.loss == "assistant" and not losses and owners:
            asked = chat_template.render(self.tokenizer, turns[:n_prompt], stand_in.tools, prompt=True).text
            begins = blocks[owners.index(owners[-1])][0]
            lead = text[begins : len(asked)]
            first = [text[blocks[owners.index(turn)][0] :] for turn in trained]
            if begins > len(asked) or not text.startswith(asked) or not all(begin.startswith(lead) for begin in first):
                losses.append(
                    (f"what is marked does not follow the generation prompt, which ends with {asked[-40:]!r}", -1)
                )
        if not losses:
            losses = self._ends(places, text, blocks, owners)
        return Shape([place for _, place in places], owners, lead, losses, omitted)

    def _places(
        self, stand_in: StandIn, text: str, blocks: list[Span]
    ) -> tuple[list[tuple[Span, Place]], list[tuple[str, int]], set[str]]:
        """Where each placeholder is, in order; what is lost; and which fields are left out as allowed."""
        places, losses, omitted, at = [], [], set(), 0
        for index, row_text in enumerate(stand_in.texts):
            at = text.find(row_text.placeholder) if row_text.placeholder else at
            if at >= 0:
                block = next((n for n, (start, end) in enumerate(blocks) if start <= at < end), -1)
                after = sum(end <= at for _, end in blocks)
                places.append(((at, at + len(row_text.placeholder)), Place(index, block, after)))
            elif row_text.field in self.omit:
                omitted.add(row_text.field)
            elif row_text.placeholder:
                losses.append((f"{row_text.field} is not rendered", index))
        return sorted(places, key=lambda place: (place[0][0], place[1].text)), losses, omitted

    def _ends(
        self, places: list[tuple[Span, Place]], text: str, blocks: list[Span], owners: list[int]
    ) -> list[tuple[str, int]]:
        """What is wrong with how the answers end."""
        last = {owner: n for n, owner in enumerate(owners)}.values()  # the last block of each turn
        tails = []
        for block in last:
            words_end = max((end for (_, end), place in places if place.block == block), default=blocks[block][0])
            tails.append(text[words_end : blocks[block][1]])
        if self.loss == "all" and places and not any(stop in text[places[-1][0][1] :] for stop in self.stops):
            tails.append(text[places[-1][0][1] :])
        return [
            (f"answers end with {tail[-40:]!r}, but generation stops at {self._stops()}", -1)
            for tail in tails
            if not tail.rstrip().endswith(self.stops)
        ]

    def _missing(
        self, stand_in: StandIn, shape: Shape, text: str, blocks: list[Span]
    ) -> tuple[list[tuple[str, str]], set[str]]:
        """The texts of the row itself that are not where those of its shape are."""
        losses, omitted, cursor = [], set(), 0
        for index, block, after in shape.order:
            row_text = stand_in.texts[index]
            if block >= 0:
                start, end = blocks[block]
            else:
                start = blocks[after - 1][1] if after else 0
                end = blocks[after][0] if after < len(blocks) else len(text)
            start = max(start, cursor)
            spans = [(at, at + len(form)) for form in row_text.forms if (at := text.find(form, start, end)) >= 0]
            if spans:
                cursor = min(spans)[1]
            elif row_text.field in self.omit:
                omitted.add(row_text.field)
            else:
                losses.append((f"{row_text.field} is not rendered as it is", row_text.forms[-1]))
        return losses, omitted

    def _early_stops(self, stand_in: StandIn, turns: list[Message], first: int) -> list[tuple[str, str]]:
        """Words to learn that hold an end token: a tokenizer makes the token of them, and no answer gets beyond it."""
        return [
            (f"{row_text.field} holds {stop!r}, at which generation stops: mend or drop such rows", row_text.forms[-1])
            for row_text in stand_in.texts
            for stop in self.stops
            if row_text.turn >= first and turns[row_text.turn].role == "assistant" and turns[row_text.turn].train
            if any(stop in form for form in row_text.forms)
        ]

    def _trained_span(self, text: str, block: Span, lead: str) -> Span:
        """The block without its lead, and up to its stop token: some templates write a newline after it."""
        start, end = block
        length = len(text[start:end].rstrip())
        stopped = text[start : start + length].endswith(self.stops)
        return start + len(lead), start + length if stopped else end

    def _stops(self) -> str:
        return " or ".join(map(repr, self.stops)) or "no token"
