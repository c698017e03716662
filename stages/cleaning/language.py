"""The language that a row is in, by py3langid's model, which comes with the package."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from stages.evaluating.json_answer import parse
from stages.params.cleaning import Clean, Languages
from stages.rows.row import Content, Text
from stages.rows.texts import content_texts


@cache
def identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def prose(content: Content) -> str:
    """What of a row is in a language: its texts, but for those that are JSON."""
    if isinstance(content, Text):
        return content.text
    return "\n".join(text for text in content_texts(content) if not (text[:1] in "{[" and parse(text) is not None))


def find(content: Content, params: Languages) -> tuple[str, float]:
    """(ISO 639-1 code, probability); ("", 0.0) where there are too few letters to tell."""
    text = prose(content)
    if sum(map(str.isalpha, text)) < params.min_letters:
        return "", 0.0
    language, probability = identifier().classify(text)
    return language, round(probability, 4)


def problem(content: Content, params: Clean, tokenizer: Path, seen: Counter[str]) -> tuple[str, str] | None:
    """(reason, detail) where a row is surely in a language that is not allowed; counts what is seen."""
    wanted = params.languages
    language, probability = find(content, wanted)
    seen[language or "too_short"] += 1
    if not language or language in wanted.allowed or probability < wanted.min_probability:
        return None
    return "language", f"{language} ({probability:.2f}): want {' or '.join(wanted.allowed)}"
