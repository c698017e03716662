"""A task of lm-eval as a stage: its scores are those of lm-eval run by itself; twice to the same bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from modelmake.errors import UserError
from stages import compare, lm_eval
from stages.evaluating import scoring
from stages.evaluating.lm_eval import scores as meanings
from stages.evaluating.lm_eval.answering import Answers
from stages.evaluating.lm_eval.bridge import Row, Scored
from stages.params.evaluation import Compare, Evaluate, Gate
from stages.params.lm_eval import Task
from stages.params.machine import Machine
from tests.conftest import ROOT
from tests.evaluating.lm_eval.made_up_tasks import CHOICES, PARAMS, QUESTIONS, RECALL, TEXTS, write
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer
from tests.tool_python import python_of

CPU = Machine("cpu", "float32", 1)
TRAIN = [{**question, "question": f"And which has {n}?"} for n, question in enumerate(QUESTIONS)]
SPLITS = {"test": QUESTIONS, "train": TRAIN}
BY_ITSELF = """
import json, site, sys
from pathlib import Path
site.addsitedir(sys.argv[1])  # of lm-eval, behind this environment, which has torch
from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager
model, chat, shots = sys.argv[2], sys.argv[3] == "chat", int(sys.argv[4])
manager = TaskManager(include_path=".", include_defaults=False)
arguments = {"pretrained": model, "device": "cpu", "dtype": "float32", "batch_size": 1}
found = simple_evaluate(
    "hf", model_args=arguments, tasks=[Path.cwd().name], task_manager=manager, num_fewshot=shots,
    apply_chat_template=chat, fewshot_as_multiturn=chat, bootstrap_iters=1000,
    random_seed=3, numpy_random_seed=3, torch_random_seed=3, fewshot_random_seed=3, log_samples=True,
)
[results], [samples] = found["results"].values(), found["samples"].values()
print(json.dumps({"results": results, "resps": [sample["resps"] for sample in samples]}, default=str))
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its template ends prompts in a new line, as many do: lm-eval counts it for the words that follow."""
    folder = tmp_path_factory.mktemp("model")
    template = TEMPLATE.replace("<|assistant|>{% endif %}", "<|assistant|>\n{% endif %}")
    assert template != TEMPLATE
    build_tokenizer(folder, chat_template=template)
    return build_model(folder, max_position_embeddings=512)


def run(model: Path, folder: Path, params: Task, out: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs the stage; its outputs are in `out`."""
    python_of("lm_eval")
    monkeypatch.chdir(ROOT)
    out.mkdir(exist_ok=True)
    return lm_eval.main(model, folder, out / "scored.jsonl", out / "scores.json", out, folder.name, params, CPU)


def by_itself(model: Path, folder: Path, params: Task) -> dict[str, Any]:
    """What lm-eval says of the model, which it loads and runs by itself."""
    [packages] = python_of("lm_eval").parent.parent.glob("lib/python*/site-packages")
    words = [packages, model, "chat" if params.apply_chat_template else "plain", str(params.num_fewshot)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder.parent / "caches"), "TQDM_DISABLE": "1"}
    said = subprocess.run(
        [sys.executable, "-c", BY_ITSELF, *words], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr[-3000:]
    return json.loads(said.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "config", "params"),
    [
        ("choices", CHOICES, PARAMS),
        ("shots", CHOICES, replace(PARAMS, num_fewshot=2)),
        ("turns", CHOICES, replace(PARAMS, num_fewshot=2, apply_chat_template=True)),
        ("recall", RECALL, replace(PARAMS, metrics=["exact_match"], num_fewshot=1)),
        ("texts", TEXTS, replace(PARAMS, metrics=["bits_per_byte", "word_perplexity"])),
    ],
)
def test_scores_are_those_of_lm_eval_by_itself(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, config: dict[str, Any], params: Task
) -> None:
    folder = write(tmp_path / name, config, SPLITS)
    run(model, folder, params, tmp_path / "out", monkeypatch)
    said = by_itself(model, folder, params)

    scores = json.loads((tmp_path / "out/scores.json").read_text())
    for metric in params.metrics:
        assert scores["metrics"][metric] == pytest.approx(said["results"][f"{metric},none"], rel=1e-5, abs=1e-6)
        error = said["results"][f"{metric}_stderr,none"]
        assert scores["stderr"].get(metric, "N/A") == (error if error == "N/A" else pytest.approx(error, abs=1e-6))
    assert (scores["rows"], len(said["resps"])) == (20, 20)
    if name == "recall":
        rows = scoring.read(tmp_path / "out/scored.jsonl")
        assert [row.answer for row in rows] == [texts[0][0] for texts in said["resps"]]


def arc_easy(folder: Path, files: str = "{split}.jsonl") -> Path:
    """The folder of a task that comes with lm-eval, with a few rows in the form of its dataset."""
    for split in ("train", "validation", "test"):
        choices = {"text": ["yes", "no"], "label": ["A", "B"]}
        rows = [{"question": f"{split} {n}?", "choices": choices, "answerKey": "AB"[n % 2]} for n in range(6)]
        file = folder / files.format(split=split)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


DRAWN = replace(PARAMS, num_fewshot=1, max_rows=4)


def test_a_task_that_comes_with_lm_eval_reads_its_folder(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = run(model, arc_easy(tmp_path / "arc_easy"), DRAWN, tmp_path / "out", monkeypatch)

    assert line.startswith("4 rows: acc ") and " ± " in line
    rows = scoring.read(tmp_path / "out/scored.jsonl")
    assert all(row.prompt.count("Question: train") == row.prompt.count("Question: test") == 1 for row in rows)
    assert {row.answer for row in rows} <= {"yes", "no"} and {row.expected for row in rows} <= {"yes", "no"}


@pytest.mark.slow
def test_two_runs_write_the_same_bytes_and_a_copy_of_the_hub_is_read_by_its_configuration(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = arc_easy(tmp_path / "of_the_hub/arc_easy", "ARC-Easy/{split}.jsonl")
    arc_easy(copy, "ARC-Challenge/{split}-0.jsonl")
    configs = "".join(
        f"- config_name: {name}\n  data_files:\n"
        + "".join(f"  - {{split: {split}, path: {name}/{split}*}}\n" for split in ("train", "validation", "test"))
        for name in ("ARC-Challenge", "ARC-Easy")
    )
    (copy / "README.md").write_text(f"---\nconfigs:\n{configs}---\n")
    folders = {"one": arc_easy(tmp_path / "arc_easy"), "two": tmp_path / "arc_easy", "three": copy}

    lines = {run(model, folder, DRAWN, tmp_path / out, monkeypatch) for out, folder in folders.items()}
    assert len(lines) == 1
    for name in ("scored.jsonl", "scores.json"):
        assert len({(tmp_path / out / name).read_bytes() for out in folders}) == 1

    other = replace(DRAWN, seed=DRAWN.seed + 1)  # another draw: batches of a run that asked something else are no use
    again, fresh = (run(model, folders["one"], other, tmp_path / out, monkeypatch) for out in ("one", "fresh"))
    assert again == fresh
    for name in ("scored.jsonl", "scores.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()


def test_a_row_has_all_that_is_asked_as_its_prompt_and_all_is_told() -> None:
    rows = [
        Row("a", 2, "yes", "no", {"acc": (0.0, 1.0)}),
        Row("b", 2, "no", "no", {"acc": (1.0, 1.0)}),
    ]
    counts = {"held_back": 2, "spaced": {"exact_match": 1}, "unscored": {"f1": 4}, "without_answer": 5}
    found = Scored(rows, {"acc": 0.5}, {}, **counts, left_out=" ")
    given = Answers([], ["1?", "1?", "2?", "2?"], cut=3)

    requests = [["loglikelihood", "", word] for word in (" yes", " no") * 2]
    shown = [("a", "1?\n yes\n no"), ("b", "2?\n yes\n no")]
    assert [(row.id, row.prompt) for row in lm_eval.scored_rows(found, given, requests)] == shown
    assert lm_eval.told(found, given) == [
        "2 questions were among the shots drawn from, and were left out for themselves",
        "1 answers are wrong in exact_match by white space alone",
        "4 rows have no f1",
        "5 questions have no right answer among their choices",
        "3 answers cut at max_gen_toks",
        "choices follow the chat template without ' '",
    ]


@pytest.mark.parametrize("prompt", ["", "Which sentence is English?"])
def test_rows_with_other_choices_after_the_same_prompt_are_other_observations(prompt: str) -> None:
    rows = [Row(id, 2, "", "", {"acc": (1.0, 1.0)}) for id in ("a", "b", "c")]
    found = Scored(rows, {}, {}, 0, {}, {}, 0, "")
    words = ("I am.", "Am I.", "You are.", "Are you.", "I am.", "Am I.")
    requests = [["loglikelihood", prompt, choice] for choice in words]
    first, second, again = lm_eval.scored_rows(found, Answers([], [prompt] * 6), requests)

    assert first.group == again.group != second.group


def test_texts_that_are_written_or_read_have_only_their_prompts() -> None:
    found = Scored([Row(id, 1, "", "", {}) for id in ("a", "b")], {}, {}, 0, {}, {}, 0, "")
    written = [["generate_until", text, {"until": ["."], "max_gen_toks": 3}] for text in ("1?", "2?")]
    read = [["loglikelihood_rolling", text] for text in ("One.", "Two.")]

    assert [row.prompt for row in lm_eval.scored_rows(found, Answers([], ["1?", "2?"]), written)] == ["1?", "2?"]
    assert [row.group for row in lm_eval.scored_rows(found, Answers([], ["", ""]), read)] == ["a", "b"]


def test_tasks_are_compared_and_gated_as_suites_are(tmp_path: Path) -> None:
    evaluations, archive = tmp_path / "evaluate", tmp_path / "archive"
    evaluations.mkdir()
    archive.mkdir()
    declared = {metric: of._asdict() for metric, of in meanings.declared(replace(PARAMS, metrics=["acc"])).items()}
    for model, right in (("base", 10), ("sft", 18)):
        rows = [scoring.Answer(str(n), f"{n}?", "yes", "no", {"acc": (float(n < right), 1.0)}) for n in range(20)]
        for suite in ("chat", "colours"):
            scoring.write(evaluations / f"{model}-{suite}.jsonl", rows)
            (evaluations / f"{model}-{suite}.json").write_text(json.dumps({"rows": 20, "declared": declared}))
    gate = Gate(model="sft", metric="colours.acc", against="base", bound=-0.5, where=None)
    outs = [tmp_path / f"{name}.json" for name in ("metrics", "comparison", "gate")]
    evaluate = Evaluate(models=["base", "sft"], suites=["chat"], tasks={"colours": PARAMS})
    params = Compare(
        suite="chat", baseline="base", bootstrap_samples=500, confidence=0.95, looks=1, power=0.8, seed=1, min_rows=1,
        gates={"stays": gate},
    )  # fmt: skip
    compare.main(evaluations, *outs, archive, params, evaluate)

    metrics, comparison, judged = (json.loads(path.read_text()) for path in outs)
    assert metrics == {"base": {"acc": 0.5, "colours.acc": 0.5}, "sft": {"acc": 0.9, "colours.acc": 0.9}}
    entry = comparison["colours"]["sft"]["acc"]
    assert (entry["difference"], entry["stderr"]) == (0.4, pytest.approx((0.9 * 0.1 / 20) ** 0.5, rel=0.1))
    of_gate = judged["gates"]["stays"]
    assert (of_gate["suite"], of_gate["rows"], of_gate["verdict"]) == ("colours", 20, "ALLOW")
    (evaluations / "base-old.json").write_text("{}")
    with pytest.raises(UserError, match=r"base-old\.json: left by items that params\.yaml no longer declares"):
        compare.read(evaluations, evaluate)
