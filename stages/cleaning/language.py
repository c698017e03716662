"""The language of a row, detected by py3langid with the model that comes with the package."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from stages.answers.json_answer import parse
from stages.params.cleaning import Clean, Languages
from stages.rows import parts
from stages.rows.row import Content
from stages.rows.texts import content_texts


@cache
def identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def prose(content: Content) -> str:
    """The texts of a row that are in a language: a text, or all turns that are no JSON."""
    if text := parts.split(content).text:
        return text
    return "\n".join(
        text for text in content_texts(content) if not (text.lstrip()[:1] in ("{", "[") and parse(text) is not None)
    )


def detect(content: Content, params: Languages) -> tuple[str, float]:
    """(ISO 639-1 code, probability); ("", 0.0) if there are fewer than `min_letters` letters."""
    text = prose(content)
    if sum(map(str.isalpha, text)) < params.min_letters:
        return "", 0.0
    language, probability = identifier().classify(text)
    return language, round(probability, 4)


def problem(content: Content, params: Clean, tokenizer: Path, language_counts: Counter[str]) -> tuple[str, str] | None:
    """(reason, detail) if a row is surely in a language that is not allowed; adds its language to `language_counts`."""
    languages = params.languages
    language, probability = detect(content, languages)
    language_counts[language or "too_short"] += 1
    if not language or language in languages.allowed or probability < languages.min_probability:
        return None
    return "language", f"{language} ({probability:.2f}): want {' or '.join(languages.allowed)}"
