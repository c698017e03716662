"""Answering: the rows of a suite in their order, greedily or sampled by row; killed and resumed to the same bytes."""

import json
import os
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import answer
from stages.evaluating import answer_file, token_loop
from stages.evaluating.questions import questions
from stages.evaluating.text_likelihood import TextLikelihood
from stages.params.answering import Answering, Greedy, Likelihood, Sampled
from stages.params.machine import Machine
from stages.rows import jsonl
from stages.rows.row import Chat, Message, Row, Text, make_row
from tests.tiny_models import build_model, teach

CPU = Machine("cpu", "float32", 1)
GREEDY = Greedy(max_new_tokens=8, batch_size=2)
SAMPLED = Sampled(
    max_new_tokens=8, batch_size=3, num_return_sequences=2, temperature=1.0, top_k=None, top_p=1.0, seed=1
)
LIKELIHOOD = Likelihood(batch_size=1, context_tokens=8)


def chat(question: str, expected: str) -> Row:
    return make_row(Chat([Message("user", question), Message("assistant", expected)]))


ROWS = sorted((chat(f"{'long ' * n}{n}", "yes" if n % 2 else "no") for n in range(5)), key=lambda row: row.id)
TEXT = make_row(Text("The cat sat on the mat."))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers each row as often with the expected word as with another."""
    asked = [question for question in questions(ROWS) for _ in range(2)]
    words = [word for row in ROWS for word in (row.content.messages[-1].content, "perhaps")]
    return teach(build_model(tmp_path_factory.mktemp("model")), asked, words)


def run(model: Path, folder: Path, params: Answering, rows: list[Row] = ROWS) -> bytes:
    folder.mkdir(exist_ok=True)
    jsonl.write(folder / "rows.jsonl", rows)
    answer.main(model, folder / "rows.jsonl", folder / "answers.jsonl", folder, "chat", params, CPU)
    return (folder / "answers.jsonl").read_bytes()


def test_a_line_has_the_id_of_its_row_and_the_answers(model: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in run(model, tmp_path, GREEDY).splitlines()]

    assert [line["id"] for line in lines] == [row.id for row in ROWS]
    assert {name for line in lines for name in line} == {"id", "answers", "tokens"}
    expected = [{row.content.messages[-1].content, "perhaps"} for row in ROWS]
    assert all(line["answers"][0] in words for line, words in zip(lines, expected, strict=True))
    assert {len(line["answers"]) for line in lines} == {1}


@pytest.mark.parametrize("params", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_tokens_are_those_of_the_prompts_and_of_the_answers_with_their_ends(
    model: Path, tmp_path: Path, params: Answering
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    run(model, tmp_path, params)

    for row, given in zip(ROWS, answer_file.read(tmp_path / "answers.jsonl"), strict=True):
        prompt = tokenizer.apply_chat_template(questions([row])[0]["messages"], add_generation_prompt=True)["input_ids"]
        ended = sum(len(tokenizer.encode(text, add_special_tokens=False)) + 1 for text in given.answers)
        assert given.tokens[0] == len(prompt) * len(given.answers)
        assert params is SAMPLED or given.tokens[1] == ended  # a drawn answer may have tokens that others would spell


def test_a_prompt_that_is_too_long_is_told_by_the_number_of_its_row(model: Path, tmp_path: Path) -> None:
    rows = sorted([*ROWS, chat("cat " * 300, "yes")], key=lambda row: row.id)
    [place] = [i for i, row in enumerate(rows) if row not in ROWS]
    told = rf"conversation {place}: \d+ tokens .*; shorten the prompt, or drop the row"

    for params in (GREEDY, SAMPLED):
        with pytest.raises(UserError, match=told):
            run(model, tmp_path, params, rows)


def test_answers_that_are_cut_are_counted(model: Path, tmp_path: Path) -> None:
    from msgspec.structs import replace

    params = replace(GREEDY, max_new_tokens=1)
    jsonl.write(tmp_path / "rows.jsonl", ROWS)

    line = answer.main(model, tmp_path / "rows.jsonl", tmp_path / "answers.jsonl", tmp_path, "s", params, CPU)

    assert line == "5 rows answered; 5 answers cut at max_new_tokens = 1"
    assert [given.cut for given in answer_file.read(tmp_path / "answers.jsonl")] == [1] * 5


def test_a_text_has_its_likelihood(model: Path, tmp_path: Path) -> None:
    run(model, tmp_path, LIKELIHOOD, [TEXT])

    [given] = answer_file.read(tmp_path / "answers.jsonl")
    assert (given.id, given.answers) == (TEXT.id, [])
    assert isinstance(given.likelihood, TextLikelihood) and given.likelihood.bytes == len(TEXT.content.text)


@pytest.mark.parametrize("batch_size", [1, 7])
def test_a_sample_depends_on_seed_row_and_number_not_on_the_batch_or_the_other_rows(
    model: Path, tmp_path: Path, batch_size: int
) -> None:
    from msgspec.structs import replace

    whole = run(model, tmp_path / "whole", SAMPLED).splitlines()
    assert len({*json.loads(whole[0])["answers"]} | {*json.loads(whole[1])["answers"]}) > 1, "they are drawn"

    assert run(model, tmp_path / "batch", replace(SAMPLED, batch_size=batch_size)).splitlines() == whole
    assert run(model, tmp_path / "rows", SAMPLED, ROWS[1:3]).splitlines() == whole[1:3]
    more = run(model, tmp_path / "more", replace(SAMPLED, num_return_sequences=3)).splitlines()
    assert [json.loads(line)["answers"][:2] for line in more] == [json.loads(line)["answers"] for line in whole]
    assert run(model, tmp_path / "seed", replace(SAMPLED, seed=2)).splitlines() != whole


@pytest.mark.parametrize("params", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_a_killed_run_is_resumed_to_the_same_bytes_and_loses_the_batch_in_flight_alone(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params: Answering
) -> None:
    whole = run(model, tmp_path / "whole", params)
    batches: list[int] = []
    real = token_loop.answer

    def killed_in_the_second(network, prompts, *others):
        batches.append(len(prompts))
        if len(batches) == 2:
            raise KeyboardInterrupt
        return real(network, prompts, *others)

    monkeypatch.setattr(token_loop, "answer", killed_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        run(model, tmp_path / "killed", params)
    resumed = run(model, tmp_path / "killed", params)

    answers = len(ROWS) * getattr(params, "num_return_sequences", 1)
    assert resumed == whole
    assert sum(batches) == answers + batches[1]


@pytest.mark.parametrize(
    ("rows", "params", "message"),
    [
        ([], GREEDY, "no rows: want held-out rows for suite s; raise split.test_fraction or add rows"),
        ([TEXT], GREEDY, f"{TEXT.id} is a text: answer.s.kind = 'greedy' wants questions with answers"),
        ([ROWS[0]], LIKELIHOOD, f"{ROWS[0].id} is a chat: answer.s.kind = 'likelihood' wants texts"),
    ],
)
def test_rows_that_cannot_be_answered_so_are_an_error_before_the_model_is_loaded(
    tmp_path: Path, rows: list[Row], params: Answering, message: str
) -> None:
    jsonl.write(tmp_path / "rows.jsonl", rows)

    with pytest.raises(UserError) as error:
        answer.main(
            tmp_path / "none", tmp_path / "rows.jsonl", Path(os.devnull), tmp_path, "s", params, CPU
        )  # fmt: skip

    assert str(error.value) == f"{tmp_path}/rows.jsonl: {message}"


def test_a_likelihood_that_is_no_number_is_told(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = [TextLikelihood(float("nan"), 0, 1, 1)]
    monkeypatch.setattr(answer.transformers, "text_likelihoods", lambda *_, **__: nothing)

    with pytest.raises(UserError, match=f"the likelihood of {TEXT.id} is nan: want finite weights; train again"):
        run(model, tmp_path, LIKELIHOOD, [TEXT])
