"""Presidio, where it is installed: names by a model, patterns without one, and what is missing told in a line."""

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
    """A spaCy model that knows two names; the real ones are not to be had offline."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Jo Doe"}, {"label": "GPE", "pattern": "Oslo"}])
    nlp.meta["version"] = "1.2.3"
    folder = tmp_path_factory.mktemp("model")
    nlp.to_disk(folder)
    return Presidio(language="en", model=f"{folder}==1.2.3", min_score=0.4)


def found(text: str, kinds: list[str], params: Presidio, countries: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(text[s.start : s.end], s.kind) for s in presidio.find(text, kinds, countries, params)]


def test_without_a_model_it_finds_by_patterns_what_is_asked_for() -> None:
    text = "Mail jo@example.org or call +49 30 1234567; SSN 219-09-9999 at 10.0.0.1"

    assert found(text, ["email", "ip"], PATTERNS) == [("jo@example.org", "email"), ("10.0.0.1", "ip")]
    assert found(text, ["national_id"], PATTERNS, ("US",)) == [("219-09-9999", "national_id")]
    assert found(text, ["national_id"], PATTERNS, ("DE",)) == []
    assert found(text, ["api_key"], PATTERNS) == []


def test_a_model_finds_names_and_places_and_never_a_placeholder(model: Presidio) -> None:
    params = made_up_cleaning.pii(redact=["person", "location", "email"], presidio=model)
    row = make_row(Text("Jo Doe of Oslo, jo@example.org"))

    result = clean.clean(row, params)

    assert result.row == make_row(Text("[PERSON] of [LOCATION], [EMAIL]"))
    assert result.rules == ["email", "person", "location"]
    assert result.found == {"person": 1, "location": 1, "email": 1}
    assert clean.clean(result.row, params).row == result.row


def test_a_model_that_is_not_installed_is_told_in_a_line() -> None:
    with pytest.raises(UserError) as error:
        presidio.engine(Presidio(language="en", model="no_such_model==3.8.0", min_score=0.5))

    assert str(error.value) == (
        "clean.pii.presidio.model = 'no_such_model==3.8.0': no such model is installed: want a spaCy model that is; "
        "`uv add` its wheel, or write null"
    )


def test_a_model_in_another_version_is_told_in_a_line(model: Presidio) -> None:
    other = Presidio(language="en", model=model.model.replace("1.2.3", "1.2.4"), min_score=0.5)

    with pytest.raises(UserError, match=r"==1.2.4': 1.2.3 is installed: want that version; name it, or install it$"):
        presidio.engine(other)


def test_nothing_is_fetched(model: Presidio, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    presidio.engine.cache_clear()

    assert found("jo@example.org", ["email"], PATTERNS) == [("jo@example.org", "email")]
