"""What is done to one content, and why it must go: its texts are repaired and redacted, its turns tidied."""

import importlib
import itertools
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from stages import pii
from stages.cleaning import refusals, repair, turns
from stages.params.cleaning import Clean
from stages.rows.row import Content, content_problem
from stages.rows.texts import content_texts, map_texts


class Changes:
    """What rules did to the texts of one row: when each changed it first, and how much personal data they found."""

    def __init__(self, params: Clean) -> None:
        self.first: dict[str, tuple[int, int]] = {}  # rule -> (round, place)
        self.found: Counter[str] = Counter()
        self._params = params
        self._kinds = {*params.pii.redact, *params.pii.drop, *params.pii.report}

    def apply(self, text: str) -> str:
        """The text as the rules leave it; one may leave work for an earlier one."""
        for number in itertools.count():
            before = text
            text = self._note("mojibake", repair.mend(text), text, (number, 0))
            text = self._note("normalise", repair.normalise(text), text, (number, 1))
            spans = pii.find(text, self._kinds, self._params.pii.countries)
            for engine in self._params.pii.modules():
                more = importlib.import_module(engine).find
                hidden = pii.masked(text, spans)
                spans += more(hidden, self._kinds, self._params.pii.countries, self._params.pii.presidio)
            gone = [span for span in sorted(spans) if span.kind in self._params.pii.redact]
            for span in gone:
                self.found[span.kind] += 1
                self._note(span.kind, "", text, (number, 2 + pii.KINDS.index(span.kind)))
            text = pii.redact(text, gone) if gone else text
            if text == before:
                self.found.update(span.kind for span in spans) if spans else None
                return text

    def _note(self, rule: str, after: str, before: str, when: tuple[int, int]) -> str:
        if after != before:
            self.first[rule] = min(when, self.first.get(rule, when))
        return after


class Mended(NamedTuple):
    """A content as the rules leave it, those that changed it, the personal data in it, and why it must go."""

    content: Content
    rules: list[str]
    found: Counter[str]
    problem: tuple[str, str] | None  # reason, detail


def mend(content: Content, params: Clean) -> Mended:
    """What the rules make of a content; what params switch on is looked at by `chosen`."""
    changes = Changes(params)
    mended, tidied = turns.tidy(map_texts(content, changes.apply), params.turns)
    problem = drop_reason(mended, changes.found, params)
    return Mended(mended, [*sorted(changes.first, key=changes.first.get), *tidied], changes.found, problem)


def drop_reason(content: Content, found: Counter[str], params: Clean) -> tuple[str, str] | None:
    """(reason, detail) where the row must go."""
    chars = sum(map(len, content_texts(content)))
    if chars > params.max_chars:
        return "over_long", f"{chars} characters, at most {params.max_chars}"
    if problem := content_problem(content) or turns.problem(
        content, params.turns
    ):  # control characters alone are no text
        return problem
    if refusal := refusals.refusal(content, params.refusals):
        return "refusal", refusal
    if kinds := [kind for kind in params.pii.drop if found[kind]]:
        return "personal_data", ", ".join(f"{kind} {found[kind]}" for kind in kinds)
    return None


def chosen(content: Content, tokenizer: Path, params: Clean, seen: Counter[str]) -> tuple[str, str] | None:
    """(reason, detail) where a row must go by a rule that params switch on; languages are counted in `seen`."""
    modules = (importlib.import_module(name) for name in params.modules() if name not in params.pii.modules())
    return next(filter(None, (rule.problem(content, params, tokenizer, seen) for rule in modules)), None)
