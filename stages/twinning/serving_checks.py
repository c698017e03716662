"""Whether llama.cpp serves a GGUF file as it was trained."""

from pathlib import Path
from typing import Any, NamedTuple

from stages.evaluating.runtimes import gguf_template, llama_cpp
from stages.rows import parts
from stages.rows.row import Row
from stages.rows.template_messages import template_messages
from stages.twinning import references, rows
from stages.twinning.fault import Fault

TOP = 10  # most likely next tokens at which the runtimes are compared
NEAR = 0.05  # of their log-probabilities: llama.cpp keeps the attention's keys and values in 16 bits
COMPARED = 4  # prompts


class Asked(NamedTuple):
    """A row and the tokens that training reads before its answer; of a text all but its end token."""

    row: Row
    ids: list[int]


def faults(file: Path, model: Path, asked: list[Asked], tokenizer: Any, stops: set[int], where: str) -> list[Fault]:
    """What llama.cpp does otherwise with `file`, the GGUF file in full precision of the folder `model`."""
    return [
        *_prompts(file, [ask for ask in asked if ask.ids], tokenizer, where),
        *_stops(file, tokenizer, stops, where),
        *_answers(file, model, shortest(asked), where),
    ]


def shortest(asked: list[Asked]) -> list[Asked]:
    """Those that models are compared at."""
    return sorted((ask for ask in asked if ask.ids), key=lambda ask: len(ask.ids))[:COMPARED]


def _prompts(file: Path, asked: list[Asked], tokenizer: Any, where: str) -> list[Fault]:
    splits = [parts.split(ask.row.content) for ask in asked]
    questions = [{"messages": template_messages(split.prompt), "tools": split.tools} for split in splits]
    chats = iter(llama_cpp.prompts(file, [q for q, split in zip(questions, splits, strict=True) if not split.text]))
    texts = [split.text or next(chats) for split in splits]
    for ask, split, ids in zip(asked, splits, llama_cpp.tokenize(file, texts), strict=True):
        if ids == ask.ids or _changed_by_tools(split):
            continue
        at = next(
            (i for i, (a, b) in enumerate(zip(ids, ask.ids, strict=False)) if a != b), min(len(ids), len(ask.ids))
        )
        if ids[:2] == [tokenizer.bos_token_id] * 2:
            what = f"llama.cpp begins with {tokenizer.bos_token!r} twice: want it once; take it out of the template"
            return [Fault("begin", where, ask.row.id, what)]
        nfc = "" if rows.is_nfc(ask.row) else "; llama.cpp does no NFC, which this tokenizer does: normalize the rows"
        what = (
            f"token {at} is {tokenizer.decode(ids[at : at + 4])!r} ({ids[at : at + 3]}) in llama.cpp and "
            f"{tokenizer.decode(ask.ids[at : at + 4])!r} ({ask.ids[at : at + 3]}) in training: want the same{nfc}"
        )
        return [Fault("served prompt", where, ask.row.id, what)]
    return []


def _changed_by_tools(split: Any) -> bool:
    """llama.cpp writes tools and calls otherwise; parity counts such prompts (docs/parity.md)."""
    return bool(split.tools or any(turn.tool_calls for turn in split.prompt))


def _stops(file: Path, tokenizer: Any, stops: set[int], where: str) -> list[Fault]:
    served = gguf_template.stop_token_ids(file)
    if not (missing := sorted(stops - served)):
        return []
    names = ", ".join(repr(tokenizer.convert_ids_to_tokens(i)) for i in missing)
    return [Fault("served stop", where, "", f"llama.cpp does not stop at {names}: want the end tokens of training")]


def _answers(file: Path, model: Path, asked: list[Asked], where: str) -> list[Fault]:
    prompts = [ask.ids for ask in asked]
    expected = references.next_tokens(references.full_model(model), prompts)
    for ask, served, own in zip(asked, llama_cpp.next_tokens(file, prompts, TOP), expected, strict=True):
        off = max((abs(logprob - own[token].item()) for token, logprob in served.items()), default=0)
        if not served or off > NEAR:
            what = f"log-probabilities of the next token are {off:.3f} from those of transformers: want at most {NEAR}"
            return [Fault("served model", where, ask.row.id, what)]
    return []
