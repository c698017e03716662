"""The rules of `clean` for one content: texts are repaired and redacted, turns tidied, and unfit contents dropped."""

import importlib
import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from stages import pii
from stages.cleaning import refusals, repair, turns
from stages.params.cleaning import Clean
from stages.rows import parts
from stages.rows.row import Content
from stages.rows.texts import characters, map_texts

ENCODING = {"mojibake": repair.fix_mojibake, "nfc": repair.compose}
WHITE_SPACE = {"control": repair.drop_control, "strip": repair.strip}
UNSEEN = {"nfc", *WHITE_SPACE}  # rules whose changes no reader sees


class TextCleaner:
    """Repairs and redacts the texts of one row; records the rules that changed them, and the personal data in them."""

    def __init__(self, params: Clean) -> None:
        self.personal: Counter[str] = Counter()  # of each kind
        self._first_change: dict[str, tuple[int, int]] = {}  # rule -> (round, place of the rule)
        self._params = params
        self._repairs = {**ENCODING, **(WHITE_SPACE if params.white_space == "prose" else {})}
        self._kinds = {*params.pii.redact, *params.pii.drop, *params.pii.report}

    def clean(self, text: str) -> str:
        """The text after all rules."""
        return self._apply(self._repairs, text)

    def clean_data(self, text: str) -> str:
        """What a tool is given, or answers, after all rules but those about white space."""
        return self._apply(ENCODING, text)

    def _apply(self, repairs: dict[str, Callable[[str], str]], text: str) -> str:
        """The text after the rules, which run in rounds: one may leave work for an earlier one."""
        for number in itertools.count():
            before = text
            for place, (rule, change) in enumerate(repairs.items()):
                repaired = change(text)
                if repaired != text:
                    self._record_change(rule, number, place)
                text = repaired
            spans = self._find_personal_data(text)
            redacted = [span for span in sorted(spans) if span.kind in self._params.pii.redact]
            for span in redacted:
                self.personal[span.kind] += 1
                self._record_change(span.kind, number, len(repairs) + pii.KINDS.index(span.kind))
            text = pii.redact(text, redacted) if redacted else text
            if text == before:
                self.personal.update(span.kind for span in spans)
                return text

    def changed_by(self) -> list[str]:
        """The rules that changed a text, in the order in which each first did."""
        return sorted(self._first_change, key=self._first_change.get)

    def _find_personal_data(self, text: str) -> list[pii.Span]:
        spans = pii.find(text, self._kinds, self._params.pii.countries)
        for name in self._params.pii.modules():
            engine = importlib.import_module(name)
            rest = pii.mask(text, spans)
            spans += engine.find(rest, self._kinds, self._params.pii.countries, self._params.pii.presidio)
        return spans

    def _record_change(self, rule: str, number: int, place: int) -> None:
        change = number, place
        self._first_change[rule] = min(change, self._first_change.get(rule, change))


class CleanedContent(NamedTuple):
    """A content after the rules."""

    content: Content
    rules: list[str]  # that changed it
    personal: Counter[str]  # personal data in it, of each kind
    problem: tuple[str, str] | None  # (reason, detail) if it must be dropped


def clean_content(content: Content, params: Clean) -> CleanedContent:
    """A content after the rules, but for the optional ones: those are in `optional_drop_reason`."""
    cleaner = TextCleaner(params)
    tidied, turn_rules = turns.tidy(map_texts(content, cleaner.clean, cleaner.clean_data), params.turns)
    problem = drop_reason(tidied, cleaner.personal, params)
    return CleanedContent(tidied, [*cleaner.changed_by(), *turn_rules], cleaner.personal, problem)


def drop_reason(content: Content, personal: Counter[str], params: Clean) -> tuple[str, str] | None:
    """(reason, detail) if a cleaned content must be dropped."""
    chars = characters(content)
    if chars > params.max_chars:
        return "over_long", f"{chars} characters, at most {params.max_chars}"
    if problem := parts.content_problem(content) or turns.problem(content, params.turns):  # repairs may empty it
        return problem
    if params.refusals and (refusal := refusals.find_refusal(content, params.refusals)):
        return "refusal", refusal
    split = parts.split(content)
    if split.rejected and split.answer == split.rejected:
        return "same_answers", "the preferred and the rejected answer say the same once cleaned"
    if kinds := [kind for kind in params.pii.drop if personal[kind]]:
        return "personal_data", ", ".join(f"{kind} {personal[kind]}" for kind in kinds)
    return None


def optional_drop_reason(
    content: Content, tokenizer: Path, params: Clean, language_counts: Counter[str]
) -> tuple[str, str] | None:
    """(reason, detail) if a rule that `params` switch on drops a content; adds its language to `language_counts`."""
    modules = (importlib.import_module(name) for name in params.modules() if name not in params.pii.modules())
    return next(filter(None, (rule.problem(content, params, tokenizer, language_counts) for rule in modules)), None)
