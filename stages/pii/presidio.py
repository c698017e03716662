"""Microsoft Presidio on the text that the built-in patterns leave: names and places by a spaCy model, more patterns.

An extra: `uv sync --extra presidio`. Nothing is downloaded: the model is an installed package of the stated version.
"""

import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from modelmake.errors import UserError
from stages.params.cleaning import Presidio
from stages.pii import KINDS, Span, mask

ENTITY_KINDS = {  # Presidio's entity -> kind
    "EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "IBAN_CODE": "iban", "CREDIT_CARD": "card", "IP_ADDRESS": "ip",
    "PERSON": "person", "LOCATION": "location",
}  # fmt: skip
NATIONAL_IDS = {  # Presidio's entity -> country
    "AU_TFN": "AU", "ES_NIE": "ES", "ES_NIF": "ES", "FI_PERSONAL_IDENTITY_CODE": "FI", "IN_AADHAAR": "IN",
    "IN_PAN": "IN", "IT_FISCAL_CODE": "IT", "PL_PESEL": "PL", "SG_NRIC_FIN": "SG", "UK_NINO": "GB", "US_ITIN": "US",
    "US_SSN": "US",
}  # fmt: skip
PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(kind.upper() for kind in KINDS)})\]")


@cache
def load_analyzer(params: Presidio) -> Any:
    """Presidio's analyzer, with the spaCy model of `params` or none.

    Raises:
        UserError: Presidio or the model is not installed, or another version of the model is.
    """
    try:
        import spacy
        import tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
    except ImportError as error:
        raise UserError(
            f"clean.pii.presidio: {error.name} is not installed: run `uv sync --extra presidio`, or write null"
        ) from None
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # the list in the package
    where = f"clean.pii.presidio.model = {params.model!r}"
    name, _, version = (params.model or "").partition("==")
    try:
        model = spacy.load(name) if name else spacy.blank(params.language)
    except (OSError, ImportError):
        raise UserError(f"{where}: this spaCy model is not installed: `uv add` its wheel, or write null") from None
    if name and model.meta["version"] != version:
        raise UserError(
            f"{where}: {name}=={model.meta['version']} is installed: name that version, or install this one"
        )
    nlp = SpacyNlpEngine(models=[{"lang_code": params.language, "model_name": name or "blank"}])
    nlp.nlp = {params.language: model}
    return AnalyzerEngine(nlp_engine=nlp, supported_languages=[params.language])


def find(text: str, kinds: Collection[str], countries: Sequence[str], params: Presidio) -> list[Span]:
    """Presidio's matches of these kinds, in order; of matches that overlap the one with the highest score."""
    entities = [entity for entity, kind in ENTITY_KINDS.items() if kind in kinds]
    if "national_id" in kinds:
        entities += [entity for entity, country in NATIONAL_IDS.items() if country in countries]
    analyzer = load_analyzer(params)
    supported = [entity for entity in entities if entity in analyzer.get_supported_entities(params.language)]
    if not supported:
        return []
    hidden = mask(text, [Span(*match.span(), "") for match in PLACEHOLDER.finditer(text)])
    results = analyzer.analyze(hidden, params.language, entities=supported, score_threshold=params.min_score)
    spans: list[Span] = []
    for r in sorted(results, key=lambda r: (-r.score, r.start, -r.end, r.entity_type)):
        if not any(r.start < span.end and span.start < r.end for span in spans) and "\0" not in hidden[r.start : r.end]:
            spans.append(Span(r.start, r.end, ENTITY_KINDS.get(r.entity_type, "national_id")))
    return sorted(spans)
