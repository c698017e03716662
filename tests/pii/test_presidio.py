"""Presidio, if installed: names by a model, patterns without one, and one-line errors for a missing model."""

import pytest

from modelmake.errors import UserError
from stages import clean
from stages.params.cleaning import Presidio
from stages.rows.row import Text, make_row
from tests import made_up_cleaning

spacy = pytest.importorskip("spacy", reason="the extra presidio is not installed")
pytest.importorskip("presidio_analyzer")
presidio = pytest.importorskip("stages.pii.presidio")

PATTERNS = Presidio(language="en", model=None, min_score=0.4)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Presidio:
    """A spaCy model that knows two names; real ones cannot be had offline."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Jo Doe"}, {"label": "GPE", "pattern": "Oslo"}])
    nlp.meta["version"] = "1.2.3"
    folder = tmp_path_factory.mktemp("model")
    nlp.to_disk(folder)
    return Presidio(language="en", model=f"{folder}==1.2.3", min_score=0.4)


def matches(text: str, kinds: list[str], params: Presidio, countries: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(text[s.start : s.end], s.kind) for s in presidio.find(text, kinds, countries, params)]


def test_without_a_model_the_kinds_asked_for_are_found_by_patterns() -> None:
    text = "Mail jo@example.org or call +49 30 1234567; SSN 219-09-9999 at 10.0.0.1"

    assert matches(text, ["email", "ip"], PATTERNS) == [("jo@example.org", "email"), ("10.0.0.1", "ip")]
    assert matches(text, ["national_id"], PATTERNS, ("US",)) == [("219-09-9999", "national_id")]
    assert matches(text, ["national_id"], PATTERNS, ("DE",)) == []
    assert matches(text, ["api_key"], PATTERNS) == []


def test_a_model_finds_names_and_places_and_never_a_placeholder(model: Presidio) -> None:
    params = made_up_cleaning.pii(redact=["person", "location", "email"], presidio=model)
    row = make_row(Text("Jo Doe of Oslo, jo@example.org"))

    result = clean.clean(row, params)

    assert result.row == make_row(Text("[PERSON] of [LOCATION], [EMAIL]"))
    assert result.rules == ["email", "person", "location"]
    assert result.personal == {"person": 1, "location": 1, "email": 1}
    assert clean.clean(result.row, params).row == result.row


def test_a_model_that_is_not_installed_is_refused_in_one_line() -> None:
    with pytest.raises(UserError) as error:
        presidio.load_analyzer(Presidio(language="en", model="no_such_model==3.8.0", min_score=0.5))

    assert str(error.value) == (
        "clean.pii.presidio.model = 'no_such_model==3.8.0': this spaCy model is not installed: "
        "`uv add` its wheel, or write null"
    )


def test_another_version_of_a_model_is_refused_in_one_line(model: Presidio) -> None:
    other = Presidio(language="en", model=model.model.replace("1.2.3", "1.2.4"), min_score=0.5)

    with pytest.raises(UserError, match=r"==1.2.3 is installed: name that version, or install this one$"):
        presidio.load_analyzer(other)


def test_nothing_is_downloaded(model: Presidio, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    presidio.load_analyzer.cache_clear()

    assert matches("jo@example.org", ["email"], PATTERNS) == [("jo@example.org", "email")]
