"""What the twin found to be wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from modelmake.errors import UserError


class Fault(NamedTuple):
    """Where the chain from rows to a served model breaks."""

    part: str  # one of PARTS
    where: str  # the section of params.yaml that is driven: base, train.<step>, quantize.<quant>
    row: str  # id of the first row that shows it; "": no row does
    what: str  # found: want; what to do

    def __str__(self) -> str:
        return f"{self.where}: {self.part}: {f'row {self.row}: ' if self.row else ''}{self.what}"


class Broken(Exception):
    """A stage did not take what it was given."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@contextmanager
def stage(part: str, where: str) -> Iterator[None]:
    """What a stage or a library raises is a fault of `part`."""
    try:
        yield
    except UserError as error:
        raise Broken(Fault(part, where, "", str(error))) from error
    except Exception as error:
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise Broken(Fault(part, where, "", what)) from error


# In the order of the chain, with what is proven of each.
PARTS = {
    "base": "`base` takes the files of the model",
    "vocabulary": "every token has a row of the embedding",
    "special tokens": "config.json and generation_config.json name the tokenizer's own begin, end and padding tokens",
    "tokenizer": "the tokens of a text are those of its words",
    "render": "every text of a row is in what is rendered, as it is",
    "mask": "the trained tokens are the assistant's words and their end token",
    "begin": "no text begins with two begin tokens",
    "prompt": "what is trained follows the prompt that evaluation asks with, token for token",
    "train": "`train` and `merge` take the step",
    "rows": "each row is consumed, whole",
    "loss": "the loss of the first step is that of its rows, each alone; it and all weights stay finite",
    "update": "three steps change the weights",
    "resume": "training that goes on from its first step ends with the same bytes",
    "merge": "the merged model computes what base and adapter do",
    "answers": "transformers answers by the merged model's own template",
    "convert": "the quantizer takes the model",
    "served prompt": "llama.cpp reads the tokens that were trained",
    "served stop": "llama.cpp stops at the trained end token",
    "served model": "llama.cpp computes what transformers does",
}
