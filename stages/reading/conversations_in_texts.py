"""Conversations in the texts of a file: lists of messages, which are read as these, and transcripts, which are not."""

from typing import Any

from stages.reading.unread import example

TRANSCRIPTS = (  # name of a style, how a question begins in it, how an answer does
    ("ChatML", "<|im_start|>user", "<|im_start|>assistant"),
    ("Llama 3", "<|start_header_id|>user", "<|start_header_id|>assistant"),
    ("Llama 2 or Mistral", "[INST]", "[/INST]"),
    ("Gemma", "<start_of_turn>user", "<start_of_turn>model"),
    ("Zephyr or Phi", "<|user|>", "<|assistant|>"),
    ("Guanaco", "### Human:", "### Assistant:"),
    ("Alpaca", "### Instruction:", "### Response:"),
    ("Vicuna", "USER: ", "ASSISTANT:"),
    ("Human and Assistant", "Human: ", "\nAssistant:"),
    ("User and Assistant", "User: ", "\nAssistant:"),
)
BEGINNING = 2000  # characters in which the first question begins


class ConversationsInTexts:
    """What texts of one file look like conversations, counted, with an example."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[Any]] = {}  # (kind, name) -> number, example

    def add_list(self, field: str, text: str) -> None:
        """Counts a text that was read as the list of messages that it is."""
        self._add("list", field, text)

    def add_text(self, text: str) -> None:
        """Counts a text that is trained on as it is, if it is a transcript."""
        if style := style_of(text):
            self._add("transcript", style, text)

    def notes(self) -> list[str]:
        """A line for each field of lists, and for each style of transcripts."""
        return [_NOTES[kind].format(name=name, count=count, example=first)
                for (kind, name), (count, first) in self._found.items()]  # fmt: skip

    def _add(self, kind: str, name: str, text: str) -> None:
        self._found.setdefault((kind, name), [0, example(text)])[0] += 1


def style_of(text: str) -> str:
    """The style of the transcript that a text is; "" if it is none."""
    beginning = text[:BEGINNING]
    for name, asked, answered in TRANSCRIPTS:
        place = beginning.find(asked)
        if place >= 0 and text.find(answered, place) > 0:
            return name
    return ""


_NOTES = {
    "list": "{count} texts of its field {name} are lists of messages and are read as these, such as {example!r}: map a "
    "field that is a text whatever it holds to `answer` of format qa",
    "transcript": "{count} texts are transcripts of chats ({name}), such as {example!r}, and are trained on as texts, "
    "questions and marks too: write them as `messages` to train on the answers",
}
