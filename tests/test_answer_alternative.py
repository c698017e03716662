"""An alternative answers the same rows after its examples, bound by its schema; answers that break it are counted."""

import json
from pathlib import Path

import msgspec
import pytest

from modelmake.errors import UserError
from stages import answer_alternative
from stages.evaluating import answer_file
from stages.params.alternatives import Alternative, Asked, ByEndpoint, ByLlamaCpp, ByTransformers, Similar
from stages.params.answering import Greedy
from stages.params.machine import Machine
from stages.rows import jsonl
from stages.rows.row import Chat, Message, Row, make_row
from tests.augmenting.endpoints import IRON, PARCEL, Proxy, method
from tests.tiny_models import build_model, teach

CPU = Machine("cpu", "float32", 1)
GREEDY = Greedy(max_new_tokens=24, batch_size=2)
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
SHOT = ByTransformers("models/base", "pool.jsonl", Similar(1), "As JSON.", answer_schema=None)


def chat(question: str, expected: str) -> Row:
    return make_row(Chat([Message("user", question), Message("assistant", expected)]))


POOL = [chat("The cat sat?", '{"n":1}'), chat("don't we?", '{"n":2}')]
ROWS = sorted([chat("The cat sat there?", '{"n":3}'), chat("don't we yet?", '{"n":4}')], key=lambda row: row.id)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows the answers after one example and the instructions, and something else without."""
    asked, answers = [], []
    for row in ROWS:
        question, expected = row.content.messages
        [shot] = [other for other in POOL if question.content.startswith(other.content.messages[0].content[:-1])]
        after = [
            {"role": "system", "content": "As JSON."},
            *({"role": m.role, "content": m.content} for m in shot.content.messages),
        ]
        asked += [
            {"messages": [*start, {"role": "user", "content": question.content}], "tools": []} for start in (after, [])
        ]
        answers += [expected.content, "The mat."]
    return teach(build_model(tmp_path_factory.mktemp("model")), asked, answers)


def run(model: Path, folder: Path, params: Alternative, rows: list[Row] = ROWS, pool: list[Row] = POOL) -> str:
    jsonl.write(folder / "rows.jsonl", rows)
    jsonl.write(folder / "pool.jsonl", pool)
    paths = [folder / name for name in ("pool.jsonl", "rows.jsonl", "answers.jsonl", "asked.json")]
    return answer_alternative.main(model, *paths, folder, folder, "few_shot", "chat", params, GREEDY, CPU)


def answers(folder: Path) -> list[str]:
    return [text for given in answer_file.read(folder / "answers.jsonl") for text in given.answers]


def test_an_alternative_answers_after_its_instructions_and_examples(model: Path, tmp_path: Path) -> None:
    line = run(model, tmp_path, SHOT)

    assert answers(tmp_path) == [row.content.messages[-1].content for row in ROWS]
    asked = json.loads((tmp_path / "asked.json").read_text())
    assert asked == {"examples": sorted(row.id for row in POOL), "empty": 0, "held_out": 0}
    assert line == "2 rows answered; 2 examples shown"
    assert all(sum(given.tokens) > 0 for given in answer_file.read(tmp_path / "answers.jsonl"))


def test_a_bound_answer_is_allowed_by_the_schema(model: Path, tmp_path: Path) -> None:
    from msgspec.structs import replace

    run(model, tmp_path, replace(SHOT, shots=None, instructions=None, answer_schema=SCHEMA))

    assert [sorted(json.loads(text)) for text in answers(tmp_path)] == [["n"], ["n"]]
    assert json.loads((tmp_path / "asked.json").read_text()) == {"broken": 0, "empty": 0, "examples": []}


def test_answers_that_a_runtime_lets_pass_though_the_schema_does_not_are_counted(model: Path, tmp_path: Path) -> None:
    from stages.exporting.gguf_writer import write_gguf

    (tmp_path / "gguf").mkdir()
    write_gguf(model, tmp_path / "gguf/model.gguf", "F32")
    schema = {**SCHEMA, "not": {"required": ["n"]}}  # which llama.cpp cannot take
    params = ByLlamaCpp("gguf", "pool.jsonl", Similar(1), "As JSON.", answer_schema=schema, context_tokens=256)

    line = run(tmp_path / "gguf", tmp_path, params)

    assert answers(tmp_path) == [row.content.messages[-1].content for row in ROWS]
    assert json.loads((tmp_path / "asked.json").read_text())["broken"] == 2
    assert line.endswith("; 2 broken")


@pytest.mark.parametrize(("answer", "broken"), [('{"n":1}', 0), ('{"n":"1"}', 1), ("{", 1), ("null", 1), ("", 1)])
def test_what_is_no_json_is_broken_too(answer: str, broken: int) -> None:
    assert answer_alternative.broken([answer], SCHEMA) == broken


def test_an_endpoint_tells_what_it_declined_cut_and_held_out_examples(llama: str, tmp_path: Path) -> None:
    rows = sorted([chat(IRON, "yes"), chat(PARCEL, "no"), chat("q", "a")], key=lambda row: row.id)
    entry = method("distill", "", api="openai", max_tokens=3)
    settings = {name: entry[name] for name in Asked.__struct_fields__} | {"parallel": 1}
    refused = (400, {}, '{"error": {"message": "no"}}')
    with Proxy(llama, [refused]) as proxy:
        endpoint = msgspec.convert(settings | {"base_url": proxy.url}, Asked)
        params = ByEndpoint("recipes/no_model.json", "pool.jsonl", Similar(1), None, endpoint)
        line = run(tmp_path, tmp_path, params, rows, [*POOL, rows[0]])

    assert json.loads((tmp_path / "asked.json").read_text()) | {"examples": []} == {
        "examples": [], "empty": 1, "held_out": 1, "declined": {"refused_request": 1},
    }  # fmt: skip
    given = answer_file.read(tmp_path / "answers.jsonl")
    assert [of_row.declined for of_row in given] == ["refused_request", "", ""]
    assert line == (
        "3 rows answered; 2 answers cut at endpoint.max_tokens = 3; 1 examples shown; 1 empty; 1 examples not shown: "
        "they are held out; 1 declined: refused_request"
    )


def test_a_suite_without_rows_is_an_error(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no rows: want held-out rows for suite chat"):
        run(model, tmp_path, SHOT, [])
