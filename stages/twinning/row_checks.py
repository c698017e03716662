"""Whether the tokens that a step trains on are what they should be, seen from the rows."""

import unicodedata
from typing import Any

from modelmake.errors import UserError
from stages.rows import parts
from stages.rows.row import Message, Row
from stages.training import chat_template
from stages.training.row_renderer import Loss
from stages.training.tokens import Encoded, Tokens
from stages.twinning.fault import Fault

LEAST = 4  # characters of a text that is looked for among others
NAMED = {  # parts of the chain, by words of what the renderer says of a row; else `render`
    "prompt": ("follow the generation prompt",),
    "mask": ("% generation %", "answers end with", "marked for the loss"),
}


def faults(
    rows: list[Row], encoded: list[Encoded], tokenizer: Any, stops: set[int], loss: Loss, where: str
) -> list[Fault]:
    """The first row of each part of the chain that is broken."""
    found: dict[tuple[str, str], Fault] = {}

    def add(part: str, row: Row, what: str, kind: str) -> None:
        found.setdefault((part, kind), Fault(part, where, row.id, what))

    for row, tokens in zip(rows, encoded, strict=True):
        for problem, text in tokens.losses:
            about = f": {text[:60]!r}" if text else ""
            add(_part(problem), row, f"{problem}{about}; docs/models.md says what to write", problem)
        if tokens.losses:
            continue
        split = parts.split(row.content)
        answers = [answer for answer in (split.answer, split.rejected) if answer] or [[]]
        for side, answer in zip(tokens.sides, answers, strict=True):
            turns = [*split.prompt, *answer]
            for part, problem in _mask(side, turns, answer, split.text, tokenizer, stops, loss):
                add(part, row, problem, problem.partition(":")[0])
            if problem := _begin(side.ids, tokenizer):
                add("begin", row, problem, "")
            if not split.text and (problem := _prompt(side, split.prompt, split.tools, tokenizer)):
                add("prompt", row, problem, "")
    return list(found.values())


def _part(problem: str) -> str:
    return next((part for part, words in NAMED.items() if any(word in problem for word in words)), "render")


def _mask(
    side: Tokens, turns: list[Message], answer: list[Message], text: str, tokenizer: Any, stops: set[int], loss: Loss
) -> list[tuple[str, str]]:
    """(part, problem) of the trained tokens; of prompts alone none are."""
    if loss == "prompt":
        return []
    if loss == "all" or text:
        if side.labels != side.ids:
            return [("mask", "not every token is trained: want all, as no turn is masked")]
        end = _shown(side.ids[-8:], tokenizer)
        return [] if any(i in stops for i in side.ids[-3:]) else [("mask", f"no end token at the end of {end}")]
    learned = [turn for turn in (answer if loss == "answer" else turns) if turn.role == "assistant" and turn.train]
    return _ends(side, len(learned), tokenizer, stops) + _words(side, turns, learned, tokenizer)


def _ends(side: Tokens, n_answers: int, tokenizer: Any, stops: set[int]) -> list[tuple[str, str]]:
    open_ends = [end for _, end in side.trained if side.ids[end - 1] not in stops]
    if not open_ends and len(side.trained) >= n_answers:
        return []
    last = (open_ends or [len(side.ids)])[0]
    names = ", ".join(repr(tokenizer.convert_ids_to_tokens(i)) for i in sorted(stops))
    shown = _shown(side.ids[max(0, last - 8) : last], tokenizer)
    return [("mask", f"trained tokens end with {shown}: want {names} among them, or the model never stops")]


def _words(side: Tokens, turns: list[Message], learned: list[Message], tokenizer: Any) -> list[tuple[str, str]]:
    trained = "".join(tokenizer.decode(side.ids[start:end]) for start, end in side.trained)
    trained, others, at = _nfc(trained), "", 0  # some tokenizers compose letters
    for turn in learned:
        words = _nfc(turn.content.strip())
        begins = trained.find(words, at)
        if begins < 0:
            back = tokenizer.decode(tokenizer(words, add_special_tokens=False)["input_ids"])
            if words not in _nfc(back):
                return [("tokenizer", f"of {words[:60]!r} the tokenizer makes {back[:60]!r}: want the same words")]
            return [("mask", f"the loss does not see the assistant's words: {words[:60]!r}: want all of them trained")]
        others += trained[at:begins]
        at = begins + len(words)
    others += trained[at:]
    for turn in turns:
        words = _nfc(turn.content.strip())
        if turn not in learned and len(words) >= LEAST and words in others:
            return [("mask", f"the loss sees words of a {turn.role} turn: {words[:60]!r}: want them masked")]
    return []


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _begin(ids: list[int], tokenizer: Any) -> str:
    bos = tokenizer.bos_token_id
    if bos is None or ids[:2] != [bos, bos]:
        return ""
    return f"begins with {tokenizer.bos_token!r} twice: want it once; take it out of the template, or set add_bos_token"


def _prompt(side: Tokens, prompt: list[Message], tools: list[dict[str, Any]], tokenizer: Any) -> str:
    """A difference between what evaluation asks with and what the answer follows in training."""
    try:
        text = chat_template.render(tokenizer, prompt, tools, prompt=True).text
    except UserError as error:
        return f"as a prompt alone: {error}"
    asked = tokenizer(text, add_special_tokens=False)["input_ids"]
    same = next(
        (at for at, (a, b) in enumerate(zip(asked, side.ids, strict=False)) if a != b), min(len(asked), len(side.ids))
    )
    if same >= len(asked) - 1:  # a token may join the prompt's end to the answer
        return ""
    return (
        f"token {same} of the prompt is {_shown(asked[same : same + 5], tokenizer)} in evaluation and "
        f"{_shown(side.ids[same : same + 5], tokenizer)} in training: want the same; mend the template"
    )


def _shown(ids: list[int], tokenizer: Any) -> str:
    return repr(tokenizer.decode(ids))
