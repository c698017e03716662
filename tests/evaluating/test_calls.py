"""An answer that is a call of a tool, from the row to the scores of a model and of its quantized file."""

import json
from pathlib import Path

import pytest

from stages import answer, answer_quantized, evaluate, parity
from stages.evaluating import scoring
from stages.evaluating.questions import questions
from stages.exporting.gguf_writer import write_gguf
from stages.params.answering import Greedy, InLlamaCpp
from stages.params.evaluation import Suite
from stages.params.machine import Machine
from stages.params.release import Parity
from stages.rows import jsonl
from stages.rows.row import Chat, Function, Message, ToolCall, make_row
from tests.evaluating.runtimes.test_llama_cpp_tools import WITH_TOOLS
from tests.tiny_models import build_model, build_tokenizer, teach

TIME = {"name": "time", "description": "now", "parameters": {"type": "object", "properties": {"zone": {}}}}
TOOLS = [{"type": "function", "function": TIME}]
ANSWER = Greedy(max_new_tokens=60, batch_size=4)
SUITE = Suite(["exact_match", "tool_call"], label=None, slots=[], answer_schema=None)
CPU = Machine("cpu", "float32", 1)


def asked(question: str, zone: str) -> Chat:
    call = ToolCall(Function("time", {"zone": zone}), "function")
    return Chat([Message("user", question), Message("assistant", "", [call])], TOOLS)


ROWS = sorted(
    (
        make_row(asked("Noon in Rome?", "CET")),
        make_row(asked("Hi", "UTC")),
        make_row(Chat([Message("user", "Thanks"), Message("assistant", "Bye.")], TOOLS)),
    ),
    key=lambda row: row.id,
)
ANSWERS = {
    "Noon in Rome?": '[TOOL_CALLS][{"name": "time", "arguments": {"zone": "CET"}}]',
    "Hi": "",  # silent
    "Thanks": '{"name": "time", "parameters": {}}',  # no call is wanted
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    build_tokenizer(folder, chat_template=WITH_TOOLS, additional_special_tokens=["[TOOL_CALLS]"])
    asked = questions(ROWS)
    answers = [ANSWERS[question["messages"][0]["content"]] for question in asked]
    return teach(build_model(folder), asked, answers)


def test_the_right_call_scores_and_silence_and_a_needless_call_do_not(model: Path, tmp_path: Path) -> None:
    rows, answers, scored, scores = (tmp_path / name for name in ("rows", "answers", "scored", "scores"))
    jsonl.write(rows, ROWS)

    answer.main(model, rows, answers, tmp_path, "chat", ANSWER, CPU)
    evaluate.main(rows, answers, scored, scores, tmp_path, "chat", SUITE)

    exact = {given.prompt.split("user: ")[1]: given.scores["exact_match"][0] for given in scoring.read(scored)}
    assert exact == {"Noon in Rome?": 1, "Hi": 0, "Thanks": 0}
    report = json.loads(scores.read_text())
    assert report["metrics"] == {
        "exact_match": pytest.approx(1 / 3, abs=1e-6),
        "tool_call": pytest.approx(1 / 3, abs=1e-6),
        "tool_call.name": 0.5,  # 2 of 4 calls, expected and made
        "tool_call.arguments": 0.5,
    }
    assert report["declared"]["tool_call.name"]["better"] == "higher"

    quantized = tmp_path / "quantized"
    quantized.mkdir()
    write_gguf(model, quantized / "model.gguf", "F32")
    checkpoints, archive = tmp_path / "checkpoints", tmp_path / "archive"
    checkpoints.mkdir()
    archive.mkdir()
    by_file, figures = tmp_path / "by_file", tmp_path / "figures"
    line = answer_quantized.main(
        quantized, model, rows, by_file, figures, checkpoints, archive, "F32", "chat",
        InLlamaCpp(context_tokens=256), ANSWER, CPU,
    )  # fmt: skip
    assert line == "3 rows answered"
    bounds = Parity(
        max_difference=0.0, min_same_answers=1.0, max_losses={"tool_call": 0.0}, max_changed_prompts=0,
        max_mean_kl=1e-4, max_kl_99_9=1e-3, min_same_top=1.0, max_nmse=1e-4, max_perplexity_ratio=1.001,
    )  # fmt: skip
    line = parity.main(
        rows, by_file, figures, scored, tmp_path / "same.jsonl", tmp_path / "parity.json", "F32", "chat", bounds, SUITE
    )
    assert line.startswith("pass: 1.000 of 3 answers the same, exact_match 0.333 -> 0.333, mean KL ")
    report = json.loads((tmp_path / "parity.json").read_text())
    assert report["prompts"]["changed"] == 0 and report["tensors"].keys() == {"F32"}
    assert report["predictions"]["rows_left_out"] == 0 and report["predictions"]["tokens"] > 10
    [line] = (archive / "serving.jsonl").read_text().splitlines()
    assert json.loads(line).keys() == {"quant", "answer_tokens_per_s", "load_s", "first_token_s", "mib", "when"}
    assert (tmp_path / "same.jsonl").read_bytes() == scored.read_bytes()
