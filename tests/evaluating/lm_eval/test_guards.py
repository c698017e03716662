"""What lm-eval 0.4.13 would decide in silence is refused, or done as it was declared. lm-eval itself runs here."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from stages.evaluating.lm_eval import scores
from stages.params.lm_eval import Task
from tests.conftest import ROOT
from tests.evaluating.lm_eval.made_up_tasks import CHOICES, COLOURS, PARAMS, QUESTIONS, RECALL, TEXTS, write
from tests.tool_python import python_of

MATCHES = replace(PARAMS, metrics=["exact_match"])
OF_TEXTS = replace(PARAMS, metrics=["bits_per_byte", "word_perplexity"])
SHOTS = replace(PARAMS, num_fewshot=2)
RUN_ALL = """
import contextlib, json, os, sys
cases, folder, caches = json.load(sys.stdin), sys.argv[1], sys.argv[2]
sys.path.insert(0, folder)
import run_task
run_task.set_apart(caches)
from declared_task import Refused
said = {}
for name, (settings, answers) in cases.items():
    try:
        with contextlib.redirect_stdout(sys.stderr):
            asked = None if answers is None else run_task.digest(run_task.run(settings, None))
            said[name] = run_task.run(settings, asked and {"asked": asked, "answers": answers})
    except Refused as refusal:
        said[name] = str(refusal)
print(json.dumps(said, default=str))
"""
LIKELY = [[-1.0 if choice == 1 else -9.0, False] for choice in range(5)]  # the second choice
RIGHT = [COLOURS[question["answer"]] for question in QUESTIONS]
SPACED = [f" {answer}\n" if n % 2 else answer for n, answer in enumerate(RIGHT)]
SCORE = "def score(doc, results):\n    return {{'acc': {}, 'acc_norm': 1.0}}\n"
BY_CHANCE = (
    "import random\n\ndef shuffled(docs):\n    return docs.select(random.SystemRandom().sample(range(20), 20))\n"
)
SCORED_BY_CODE = CHOICES | {"process_results": "!function utils.score"}
CASES: dict[str, tuple[dict[str, Any], Task, list[Any] | None]] = {  # {name: (YAML, params, answers)}
    "asked": (CHOICES, PARAMS, None),
    "scored": (CHOICES, PARAMS, LIKELY * 20),
    "shots": (CHOICES, SHOTS, None),
    "shots again": (CHOICES, SHOTS, None),
    "other shots": (CHOICES, replace(SHOTS, seed=4), None),
    "shots of the split by name": (CHOICES | {"fewshot_split": "test"}, SHOTS, None),
    "too many shots": (CHOICES, replace(PARAMS, num_fewshot=20), None),
    "shots against the YAML": (CHOICES | {"num_fewshot": 0}, SHOTS, None),
    "few rows": (CHOICES, replace(PARAMS, max_rows=5), None),
    "few rows scored": (CHOICES, replace(PARAMS, max_rows=5), LIKELY * 5),
    "a template": (CHOICES, replace(SHOTS, apply_chat_template=True, system_instruction="Be brief."), None),
    "a delimiter under a template": (
        CHOICES | {"target_delimiter": " ->"}, replace(PARAMS, apply_chat_template=True), None
    ),
    "ends of the YAML": (RECALL, MATCHES, None),
    "ends of params": (RECALL, replace(MATCHES, until=["."], max_gen_toks=3), None),
    "no ends": ({name: value for name, value in RECALL.items() if name != "generation_kwargs"}, MATCHES, None),
    "ends of choices": (CHOICES, replace(PARAMS, until=["\n"], max_gen_toks=3, strip_answers=True), None),
    "sampled": (RECALL | {"generation_kwargs": {"until": ["\n"], "max_gen_toks": 8, "do_sample": True}}, MATCHES, None),
    "repeated": (RECALL | {"repeats": 3}, MATCHES, None),
    "white space": (RECALL, MATCHES, SPACED),
    "stripped": (RECALL, replace(MATCHES, strip_answers=True), SPACED),
    "code": (RECALL | {"unsafe_code": True}, MATCHES, None),
    "images": (RECALL | {"doc_to_image": "question"}, MATCHES, None),
    "another metric": (CHOICES, replace(PARAMS, metrics=["acc", "exact_match"]), None),
    "another filter": (RECALL, replace(MATCHES, metrics=["exact_match.strict"]), None),
    "a metric of all rows": (
        CHOICES | {"metric_list": [{"metric": "mcc", "aggregation": "matthews_corrcoef", "higher_is_better": True}]},
        replace(PARAMS, metrics=["mcc"]), None,
    ),
    "less is better": (
        CHOICES | {"metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": False}]},
        replace(PARAMS, metrics=["acc"]), None,
    ),
    "all of the shots there are": (CHOICES, replace(PARAMS, num_fewshot=19), None),
    "out of range": (SCORED_BY_CODE | {"utils.py": SCORE.format("1.5")}, PARAMS, LIKELY * 20),
    "no number": (SCORED_BY_CODE | {"utils.py": SCORE.format("float('nan')")}, PARAMS, LIKELY * 20),
    "code that fails": (SCORED_BY_CODE | {"utils.py": SCORE.format("1 / 0")}, PARAMS, LIKELY * 20),
    "scores of some rows": (
        SCORED_BY_CODE | {"utils.py": "def score(doc, results):\n    return {'acc': 1.0} if doc['answer'] else {}\n"},
        replace(PARAMS, metrics=["acc"]), LIKELY * 20,
    ),
    "some labels hidden": (CHOICES | {"doc_to_target": "{{answer - 1}}"}, PARAMS, LIKELY * 20),
    "all labels hidden": (CHOICES | {"doc_to_target": "{{0 - 1}}"}, PARAMS, None),
    "an order by chance": (
        CHOICES | {"process_docs": "!function utils.shuffled", "utils.py": BY_CHANCE}, PARAMS, LIKELY * 20
    ),
    "data of the hub": (CHOICES | {"dataset_path": "allenai/ai2_arc"}, PARAMS, None),
    "texts": (TEXTS, OF_TEXTS, [-10.0] * 20),
    "texts with a template": (TEXTS, replace(OF_TEXTS, apply_chat_template=True, num_fewshot=1), None),
    "a group": ({"task": ["one", "two"], "group": "both"}, PARAMS, None),
}  # fmt: skip


CACHES = ("HF_DATASETS_CACHE", "HF_MODULES_CACHE", "HF_HUB_CACHE", "HF_ASSETS_CACHE", "HF_EVALUATE_CACHE")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the folders of the tasks, and `caches`."""
    return tmp_path_factory.mktemp("tasks")


@pytest.fixture(scope="module")
def said(folder: Path) -> dict[str, Any]:
    """{case: what lm-eval said}, all from one process."""
    python = python_of("lm_eval")
    cases = {}
    for number, (name, (config, params, answers)) in enumerate(CASES.items()):
        task = f"task_{number}"
        declared = {metric: of._asdict() for metric, of in scores.declared(params).items()}
        of_data = {"task": task, "folder": str(write(folder / task, config)), "declared": declared}
        cases[name] = (msgspec.to_builtins(params) | of_data, answers)
    unknown = msgspec.to_builtins(PARAMS) | {"task": "no_such_task", "folder": str(folder), "declared": {}}
    cases["an unknown name"] = (unknown, None)
    pile = folder / "pile_dm_mathematics"  # lm-eval's own pile_dm-mathematics
    pile.mkdir()
    (pile / "train.jsonl").write_text('{"text": "1 + 1 = 2"}\n')
    of_pile = {"task": pile.name, "folder": str(pile), "declared": {}}
    cases["a name with a sign"] = (msgspec.to_builtins(OF_TEXTS) | of_pile, None)
    command = [python, "-c", RUN_ALL, ROOT / "envs/lm_eval", folder / "caches"]
    variables = {**os.environ, **{name: str(folder / "of_the_user" / name) for name in CACHES}}
    run = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, env=variables)
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout)


def test_a_question_with_choices_asks_for_the_likelihood_of_each(said: dict[str, Any]) -> None:
    assert len(said["asked"]) == 100
    assert said["asked"][:2] == [
        ["loglikelihood", "Q: Which colour has number 0?\nA:", " red"],
        ["loglikelihood", "Q: Which colour has number 0?\nA:", " green"],
    ]


def test_rows_have_the_scores_that_lm_eval_gives_and_their_sums_are_its_own(said: dict[str, Any]) -> None:
    scored = said["scored"]

    assert scored["metrics"] == {"acc": 0.2, "acc_norm": 0.2}
    assert scored["stderr"]["acc"] == pytest.approx((0.2 * 0.8 / 19) ** 0.5)
    assert [row["scores"]["acc"] for row in scored["rows"]] == [[float(n % 5 == 1), 1.0] for n in range(20)]
    assert {(row["answer"], row["requests"]) for row in scored["rows"]} == {("green", 5)}
    assert [row["expected"] for row in scored["rows"]] == RIGHT
    assert len({row["id"] for row in scored["rows"]}) == 20


@pytest.mark.parametrize("case", ["shots", "shots of the split by name"])
def test_no_question_is_among_its_own_shots(said: dict[str, Any], case: str) -> None:
    prompts = [prompt for _, prompt, _ in said[case][::5]]

    assert [prompt.count(question["question"]) for prompt, question in zip(prompts, QUESTIONS, strict=True)] == [1] * 20
    assert all(prompt.count("Which colour") == 3 for prompt in prompts)


def test_shots_follow_from_the_seed(said: dict[str, Any]) -> None:
    assert said["shots"] == said["shots again"] != said["other shots"]


def test_shots_that_are_not_there_are_refused(said: dict[str, Any]) -> None:
    assert len(said["all of the shots there are"]) == 100
    assert said["too many shots"] == "num_fewshot = 20: want at most 19: there are no more shots"
    assert said["shots against the YAML"].startswith("num_fewshot = 2: want 0, as in its YAML")


def test_some_rows_are_drawn_and_not_the_first(said: dict[str, Any]) -> None:
    asked = list(dict.fromkeys(prompt for _, prompt, _ in said["few rows"]))
    numbers = [int(prompt.split("number ")[1].split("?")[0]) for prompt in asked]

    assert len(numbers) == 5 and numbers == sorted(numbers) != list(range(5))
    expected = [row["expected"] for row in said["few rows scored"]["rows"]]
    assert expected == [COLOURS[number % 5] for number in numbers]


def test_under_a_template_shots_are_turns_and_choices_stand_alone(said: dict[str, Any]) -> None:
    _, prompt, choice = said["a template"][0]

    messages = json.loads(prompt)["messages"]
    assert [message["role"] for message in messages] == ["system", *["user", "assistant"] * 2, "user"]
    assert messages[0]["content"] == "Be brief." and {messages[2]["content"], messages[4]["content"]} <= {*COLOURS}
    assert choice == "red"
    assert said["a delimiter under a template"].startswith("target_delimiter: lm-eval leaves '->' out")


def test_where_answers_end_is_told_by_the_task_or_by_params(said: dict[str, Any]) -> None:
    def ends(case: str) -> tuple[list[str], int]:
        return said[case][0][2]["until"], said[case][0][2]["max_gen_toks"]

    assert ends("ends of the YAML") == (["\n"], 8)
    assert ends("ends of params") == (["."], 3)
    assert said["no ends"].splitlines() == [
        "until = null: its YAML says none, so lm-eval ends answers at a blank line: want texts, or []",
        "max_gen_toks = null: its YAML says none, so lm-eval cuts answers at 256: want a number",
    ]
    assert said["ends of choices"].splitlines() == [
        "until = ['\\n']: want null: multiple_choice generates nothing",
        "max_gen_toks = 3: want null: multiple_choice generates nothing",
        "strip_answers = True: want false: multiple_choice generates nothing",
    ]


def test_white_space_around_answers_counts_as_declared_and_is_told(said: dict[str, Any]) -> None:
    assert (said["white space"]["metrics"]["exact_match"], said["white space"]["spaced"]) == (0.5, {"exact_match": 10})
    assert (said["stripped"]["metrics"]["exact_match"], said["stripped"]["spaced"]) == (1.0, {})


@pytest.mark.parametrize(
    ("case", "line"),
    [
        ("sampled", "generation_kwargs: it samples or searches"),
        ("repeated", "repeats: answers are greedy"),
        ("code", "unsafe_code: it runs answers as code, with no boundary"),
        ("images", "doc_to_image: want a task of texts alone"),
        ("another metric", "metrics: 'exact_match': want some of acc, acc_norm"),
        ("another filter", "metrics: 'exact_match.strict': want some of exact_match"),
        ("a metric of all rows", "metrics: 'mcc': it is made of all rows together: want a mean over rows"),
        ("less is better", "metrics: 'acc': its YAML says higher_is_better: False: want True"),
        ("texts with a template", "num_fewshot = 1: loglikelihood_rolling reads texts as they are: want 0"),
        ("out of range", "metrics: 'acc': a row has 1.5: want a number from 0 to 1"),
        ("no number", "metrics: 'acc': a row has nan: want a number from 0 to 1"),
        ("code that fails", "lm-eval cannot read or score it: ZeroDivisionError: division by zero (utils.py:2)"),
        ("all labels hidden", "no question has its right answer among its choices: want labels"),
        ("an order by chance", "what it asks is not what was answered: want the same questions in the same order"),
        ("data of the hub", "lm-eval cannot read or score it: "),
        ("a group", "want a YAML file of one task with `task: task_"),
        ("an unknown name", "no such task: want no_such_task.yaml in "),
    ],
)
def test_what_a_task_cannot_have_is_refused(said: dict[str, Any], case: str, line: str) -> None:
    assert isinstance(said[case], str) and said[case].startswith(line)


def test_rows_that_count_for_nothing_or_cannot_be_right_are_counted(said: dict[str, Any]) -> None:
    some, hidden = said["scores of some rows"], said["some labels hidden"]

    assert (some["metrics"]["acc"], some["unscored"], some["without_answer"]) == (1.0, {"acc": 4}, 0)
    assert [row["scores"]["acc"] for row in some["rows"]] == [[1.0, 1.0] if n % 5 else [0.0, 0.0] for n in range(20)]
    assert (hidden["without_answer"], hidden["unscored"]) == (4, {})
    assert (said["scored"]["without_answer"], said["scored"]["unscored"]) == (0, {})


def test_texts_have_nats_by_bytes_and_by_words(said: dict[str, Any]) -> None:
    import math

    first, size = said["texts"]["rows"][0], len(QUESTIONS[0]["question"].encode())
    assert first["scores"]["bits_per_byte"] == pytest.approx([10 / math.log(2), size])
    assert first["scores"]["word_perplexity"] == [10.0, 5.0]
    assert said["texts"]["metrics"]["word_perplexity"] == pytest.approx(math.exp(10 / 5))
    assert said["texts"]["stderr"] == {}


def test_a_name_of_lm_eval_may_have_signs_that_are_written_as_underscores(said: dict[str, Any]) -> None:
    assert said["a name with a sign"] == [["loglikelihood_rolling", "1 + 1 = 2"]]


def test_nothing_is_left_beside_the_task_or_in_caches_of_the_user(said: dict[str, Any], folder: Path) -> None:
    assert said["out of range"] and list(folder.rglob("utils.py")) and not list(folder.rglob("__pycache__"))
    assert (folder / "caches/datasets").is_dir() and not (folder / "of_the_user").exists()
