"""The text of an answer's tokens, the same in training and in evaluation."""

from typing import Any

from stages.answers.call_forms import MARKS


class Decoder:
    """Decodes answers of a model: up to a token in `stops`, and of special tokens MARKS only."""

    def __init__(self, tokenizer: Any, stops: set[int]) -> None:
        added = tokenizer.added_tokens_decoder.items()
        self.tokenizer, self.stops = tokenizer, stops
        self.hidden = {token for token, content in added if content.special and content.content not in MARKS}

    def text(self, tokens: list[int]) -> str:
        """The text of generated tokens; a character that is cut off at their end is left out, as in llama_cpp.py."""
        length = next((at for at, token in enumerate(tokens) if token in self.stops), len(tokens))
        shown = [token for token in tokens[:length] if token not in self.hidden]
        text = self.tokenizer.decode(shown, clean_up_tokenization_spaces=False)
        return text.rstrip("\ufffd") if length == len(tokens) else text
