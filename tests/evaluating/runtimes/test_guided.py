"""llguidance binds answers of transformers by a schema: the most likely ones that it allows, whatever the batch."""

import json
import os
from pathlib import Path

import jsonschema
import pytest

from modelmake.errors import UserError
from stages.evaluating.runtimes import guided, transformers
from tests.tiny_models import build_model, edit_json, teach

ASKED = ["The cat sat?", "1234", "Grüße 🙂", "don't we?"]
CONVERSATIONS = [{"messages": [{"role": "user", "content": text}], "tools": []} for text in ASKED]
# the first is right, the others are nearly so
ANSWERS = ['{"mood":"glad","n":12}', '{"n":7,"mood":"sad"}', "glad, I'd say", '{"mood":"angry","n":3}']
SCHEMA = {
    "type": "object",
    "properties": {"mood": {"enum": ["glad", "sad"]}, "n": {"type": "integer", "minimum": 5, "maximum": 99}},
    "required": ["mood", "n"],
    "additionalProperties": False,
}
SETTINGS = {"max_new_tokens": 48, "device": "cpu", "dtype": "float32", "checkpoint": Path(os.devnull)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teach(build_model(tmp_path_factory.mktemp("model")), CONVERSATIONS, ANSWERS)


def answers(model: Path, schema: dict = SCHEMA, batch_size: int = 4) -> list[str]:
    return [a.text for a in guided.generate(model, CONVERSATIONS, schema=schema, batch_size=batch_size, **SETTINGS)]


def test_every_answer_is_allowed_though_the_model_knows_others(model: Path) -> None:
    free = [a.text for a in transformers.generate(model, CONVERSATIONS, batch_size=4, **SETTINGS)]
    assert free == ANSWERS

    bound = answers(model)

    for text in bound:
        jsonschema.validate(json.loads(text), SCHEMA)
    assert bound[0] == ANSWERS[0], "what is allowed is not changed"


@pytest.mark.parametrize("batch_size", [1, 3])
def test_an_answer_does_not_depend_on_the_batch(model: Path, batch_size: int) -> None:
    assert answers(model, batch_size=batch_size) == answers(model)


def test_answers_end_at_any_end_token_and_not_before_they_are_whole(model: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(model, tmp_path / "copy")
    edit_json(copy / "generation_config.json", eos_token_id=[4, 5])  # <|end|> and <|bos|>

    found = answers(copy)

    assert len(found) == 4
    assert all(jsonschema.Draft202012Validator(SCHEMA).is_valid(json.loads(text)) for text in found)


def test_fields_come_in_the_order_of_required(model: Path) -> None:
    schema = {**SCHEMA, "required": ["n", "mood"]}

    assert [list(json.loads(text)) for text in answers(model, schema)] == [["n", "mood"]] * 4


def test_a_schema_that_cannot_be_enforced_is_refused_before_the_model_is_loaded(tmp_path: Path) -> None:
    schema = {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}
    assert "uniqueItems" in guided.unbound(schema)

    with pytest.raises(UserError, match=r"answer_schema: .*uniqueItems"):
        guided.generate(tmp_path / "none", CONVERSATIONS, schema=schema, batch_size=1, **SETTINGS)


def test_what_can_be_enforced_is(model: Path) -> None:
    assert guided.unbound(SCHEMA) == ""
