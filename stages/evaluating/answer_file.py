"""What a model gave to the held-out rows of a suite, before it is scored: a line of JSON for each row."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from stages.evaluating.generated import Generated
from stages.evaluating.text_likelihood import TextLikelihood


class Given(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of a question the answers, as many as were sampled; of a text its likelihood, in JSON a list of its fields."""

    id: str
    answers: list[str] = []
    cut: int = 0  # how many of the answers are cut at their limit of tokens
    tokens: tuple[int, int] | None = None  # of the prompts of all answers, and of the answers; None: not known
    declined: str = ""  # why an endpoint did not answer
    likelihood: TextLikelihood | None = None


def of(id: str, answers: Sequence[Generated]) -> Given:
    """The line of a question."""
    counts = [(answer.prompt_tokens, answer.answer_tokens) for answer in answers]
    known = all(None not in of_answer for of_answer in counts)
    tokens = tuple(map(sum, zip(*counts, strict=True))) if known else None
    declined = next((answer.declined for answer in answers if answer.declined), "")
    return Given(id, [answer.text for answer in answers], sum(answer.cut for answer in answers), tokens, declined)


def tokens(given: Sequence[Given]) -> list[int]:
    """[tokens of all prompts, of all answers], but for declined ones; empty if those of a row are not known."""
    of_rows = [of_row.tokens for of_row in given if not of_row.declined]
    return [] if None in of_rows else [sum(counts) for counts in zip(*of_rows, strict=True)]


def told(given: Sequence[Given], limit: str) -> str:
    """How many answers there are, and how many of them are cut at a limit, in words."""
    answers, cut = sum(len(of_row.answers) for of_row in given), sum(of_row.cut for of_row in given)
    each = f", {answers // len(given)} times each" if answers > len(given) else ""
    of_cut = f"; {cut} answers cut at {limit}" if cut else ""
    return f"{len(given)} rows answered{each}{of_cut}"


def write(path: Path, given: Sequence[Given]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(of_row) + b"\n" for of_row in given))


def read(path: Path) -> list[Given]:
    return [msgspec.json.decode(line, type=Given) for line in path.read_bytes().splitlines()]
