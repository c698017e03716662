"""Answers with transformers that a JSON Schema binds: of all tokens only those that llguidance says can come next."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelmake.errors import UserError
from stages.evaluating.generated import Generated
from stages.evaluating.runtimes import transformers
from stages.evaluating.schema_order import in_order

if TYPE_CHECKING:
    from llguidance import LLMatcher
    from torch import Tensor

# White space would be most of what a model writes that does not know what comes next.
COMPACT = {"whitespace_flexible": False}


def generate(
    model: Path, conversations: list[dict[str, Any]], *, schema: dict[str, Any], **settings: Any
) -> list[Generated]:
    """The greedy answer to each conversation, bound by the schema; see `transformers.generate`.

    Raises:
        UserError: llguidance cannot bind answers by the schema; or as `transformers.generate` does.
    """
    if problem := unbound(schema):
        raise UserError(f"answer_schema: {problem}")
    return transformers.generate(model, conversations, limit=functools.partial(Grammar, schema), **settings)


def invalid(schema: dict[str, Any]) -> str:
    """Why a schema is none, `.place: message`; "" if it is one."""
    import jsonschema

    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        return f"{error.json_path.removeprefix('$')}: {error.message}"
    return ""


def unbound(schema: dict[str, Any]) -> str:
    """Why llguidance cannot bind answers by a schema; "" if it can."""
    from llguidance import LLMatcher

    return " ".join(LLMatcher.validate_grammar(_grammar(schema)).split())


def _grammar(schema: dict[str, Any]) -> str:
    from llguidance import LLMatcher

    return LLMatcher.grammar_from_json_schema(in_order(schema), defaults=COMPACT)


class Grammar:
    """The grammar of a schema in the tokens of a model."""

    def __init__(self, schema: dict[str, Any], tokenizer: Any, stops: set[int]) -> None:
        from llguidance import LLTokenizer

        self.text, self.stops = _grammar(schema), stops
        try:
            self.tokenizer = LLTokenizer(tokenizer.backend_tokenizer.to_str(), eos_token=min(stops))
        except ValueError as error:
            raise UserError(f"answer_schema: llguidance cannot read the model's tokenizer: {error}") from None

    def start(self, rows: int) -> "Answers":
        from llguidance import LLMatcher

        return Answers(LLMatcher(self.tokenizer, self.text), rows, self.stops)


class Answers:
    """The answers of a batch under one grammar, as far as they are there."""

    def __init__(self, matcher: "LLMatcher", rows: int, stops: set[int]) -> None:
        self._matchers, self._stops = [matcher.deep_copy() for _ in range(rows)], stops

    def allowed(self, logits: "Tensor", rows: list[int]) -> "Tensor":
        """(B, V): the logits, -inf where a token may not come next. Any end token may, once the answer is whole."""
        import numpy as np
        import torch

        bits = np.zeros(logits.shape, bool)
        for place, row in enumerate(rows):
            matcher = self._matchers[row]
            of_row = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), bitorder="little")
            width = min(len(of_row), bits.shape[1])
            bits[place, :width] = of_row[:width]
            bits[place, list(self._stops)] = matcher.is_stopped() or matcher.is_accepting()
            if matcher.is_error() or not bits[place].any():  # else the end would be all that is allowed
                raise UserError(f"answer_schema: llguidance says: {matcher.get_error() or 'no token may come next'}")
        return logits.masked_fill(~torch.from_numpy(bits).to(logits.device), float("-inf"))

    def take(self, tokens: list[int], rows: list[int]) -> None:
        """Goes on with the token of each row."""
        for token, row in zip(tokens, rows, strict=True):
            if token not in self._stops:
                self._matchers[row].consume_token(token)
