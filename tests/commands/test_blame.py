"""The command: metrics that builds do not have, and real builds whose causes were planted."""

import contextlib
import json
import random
import subprocess
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from modelmake.blaming import revisions
from modelmake.errors import UserError
from stages.commands import blame, blame_metric
from tests.conftest import Project, clone
from tests.made_up_history import MadeUpProject

COMPARE = {
    "compare": {"suite": "chat", "confidence": 0.9, "seed": 7},
    "evaluate": {"models": ["base", "sft"], "suites": ["chat", "hard"]},
}
SCORES = {"base": {"hits": 0.1}, "sft": {"hits": 0.9, "macro.f1": 0.7, "hard.hits": 0.5}}


@pytest.fixture
def project(tmp_path: Path) -> MadeUpProject:
    """A build with scores, not committed yet."""
    project = MadeUpProject(tmp_path / "project")
    project.stage("compare", {}, {"reports/metrics.json": b"{}"}, COMPARE)
    project.stages["compare"]["cmd"] += " --evaluations reports/evaluate --metrics reports/metrics.json"
    for suite in ("chat", "hard"):
        project.stage(f"evaluate@sft-{suite}", {}, {f"reports/evaluate/sft-{suite}.jsonl": b"{}"})
    (project.root / "reports").mkdir()
    write(project, SCORES)
    return project


def write(project: MadeUpProject, scores: Any) -> None:
    (project.root / "reports/metrics.json").write_text(json.dumps(scores))


def find(project: MadeUpProject, metric: str) -> blame_metric.Measured:
    return blame_metric.find(project.root, metric, *(revisions.read(project.root, name) for name in ("HEAD~1", "HEAD")))


def refused(project: MadeUpProject, metric: str) -> str:
    with pytest.raises(UserError) as error:
        find(project, metric)
    return str(error.value)


def test_a_metric_is_named_as_in_the_recorded_scores(project: MadeUpProject) -> None:
    project.commit("first")
    write(project, {"sft": {"hits": 0.8, "macro.f1": 0.6, "hard.hits": 0.4}})
    project.commit("second")

    assert find(project, "sft.hits") == blame_metric.Measured("hits", "evaluate@sft-chat", 0.9, 7, 0.9, 0.8)
    assert find(project, "sft.macro.f1") == blame_metric.Measured("macro.f1", "evaluate@sft-chat", 0.9, 7, 0.7, 0.6)
    assert find(project, "sft.hard.hits") == blame_metric.Measured("hits", "evaluate@sft-hard", 0.9, 7, 0.5, 0.4)


def test_a_metric_of_a_task_is_of_the_stage_that_runs_lm_eval(project: MadeUpProject) -> None:
    evaluate = COMPARE["evaluate"] | {"tasks": {"colours": {"metrics": ["acc"]}}}
    project.stages["compare"]["params"]["params.yaml"]["evaluate"] = evaluate
    project.stage("lm_eval@sft-colours", {}, {"reports/evaluate/sft-colours.jsonl": b"{}"})
    for name, value in (("first", 0.5), ("second", 0.25)):
        write(project, {"sft": {"hits": 0.8, "colours.acc": value}})
        project.commit(name)

    assert find(project, "sft.colours.acc") == blame_metric.Measured("acc", "lm_eval@sft-colours", 0.9, 7, 0.5, 0.25)
    assert find(project, "sft.hits").target == "evaluate@sft-chat"


def test_a_metric_of_a_variant_is_of_the_stage_that_scores_its_answers(project: MadeUpProject) -> None:
    evaluate = COMPARE["evaluate"] | {"variants": {"typos": {"rows": "data/splits/test/chat.jsonl"}}}
    project.stages["compare"]["params"]["params.yaml"]["evaluate"] = evaluate
    project.stage("evaluate_variant@sft-typos", {}, {"reports/evaluate/sft-typos.jsonl": b"{}"})
    for name, value in (("first", 0.5), ("second", 0.25)):
        write(project, {"sft": {"hits": 0.8, "typos.hits": value}})
        project.commit(name)

    assert find(project, "sft.typos.hits") == blame_metric.Measured(
        "hits", "evaluate_variant@sft-typos", 0.9, 7, 0.5, 0.25
    )
    assert find(project, "sft.hits").target == "evaluate@sft-chat"


@pytest.mark.parametrize("metric", ["sft.judged.tone", "sft.hard.judged_corrected.tone"])
def test_a_metric_of_a_judge_is_refused_before_anything_is_built(project: MadeUpProject, metric: str) -> None:
    write(project, {"sft": {"judged.tone": 0.5, "hard.judged_corrected.tone": 0.5}})
    project.commit("first")
    project.commit("second")

    assert refused(project, metric) == f"{metric}: of a judge: want a metric that `evaluate` or lm-eval measures"


def test_a_metric_that_a_build_does_not_have_is_refused_with_those_that_it_has(project: MadeUpProject) -> None:
    project.commit("first")
    write(project, {"sft": {"hits": 0.8}})
    second = project.commit("second")[:10]

    assert refused(project, "base.hits") == f"base.hits: no such score in {second} (HEAD): want one of sft.hits"
    assert refused(project, "hits").endswith("want one of base.hits, sft.hard.hits, sft.hits, sft.macro.f1")


def test_builds_without_recorded_scores_are_refused(project: MadeUpProject) -> None:
    (project.root / "reports/metrics.json").unlink()
    first = project.commit("first")[:10]
    write(project, SCORES)
    project.commit("second")
    end = "want the scores of a build; build it with `dvc repro` and commit"
    assert refused(project, "sft.hits") == f"HEAD~1: commit {first} has no reports/metrics.json: {end}"

    project.stages = {"train@sft": project.stages["evaluate@sft-chat"]}
    third = project.commit("third")[:10]
    assert refused(project, "sft.hits").startswith(f"HEAD: dvc.lock of {third} has no scores: want those of a build")


def test_a_build_without_the_rows_of_the_metric_is_refused(project: MadeUpProject) -> None:
    first = project.commit("first")[:10]
    project.commit("second")

    assert refused(project, "base.hits").startswith(f"HEAD~1: dvc.lock of {first} has no evaluate@base-chat: want its")


@pytest.mark.parametrize(("asked", "files", "rounds"), [(None, 0, 0), (None, 1, 1), (None, 2, 0), (3, 2, 3), (0, 1, 0)])
def test_one_changed_file_is_halved_once_and_several_if_asked(asked: int | None, files: int, rounds: int) -> None:
    found = [blame.Input(f"{n}.jsonl", "rows", (f"{n}.jsonl",)) for n in range(files)]

    assert blame._rounds(asked, [*found, blame.Input("code", "code")]) == rounds


def test_files_whose_rows_are_not_lines_are_not_halved() -> None:
    lines, document = (blame.Input(name, "rows", (name,)) for name in ("a.jsonl", "b.json"))
    renamed = blame.Input("c.jsonl", "rows", ("b.jsonl", "c.jsonl"))

    assert blame._halving(2, [lines, document, renamed]) == [
        "then, of each that is a cause of a.jsonl: the changed lines by halves, at most 2 rounds of 2 builds, each as "
        "long as with that file put back"
    ]
    assert blame._halving(1, [document]) == []
    with pytest.raises(UserError, match=r"--halve -1: want 0 or more rounds"):
        blame._rounds(-1, [lines])


def test_a_working_tree_with_edits_is_no_build(project: MadeUpProject) -> None:
    project.commit("first")
    write(project, {})
    parser = ArgumentParser()
    blame.arguments(parser)
    message = r"^reports/metrics.json: not as in HEAD, and commits are compared: commit, or name the second revision$"
    with contextlib.chdir(project.root), pytest.raises(UserError, match=message):
        blame.run(parser.parse_args(["sft.hits", "HEAD"], Namespace()))


LABELS = {"alpha": 150, "beta": 100, "gamma": 100, "Delta": 100, "Epsilon": 100, "zeta": 100}  # rows of each in `a`
FLIPPED = 200  # rows of alpha in `b`
SYLLABLES = [f"{a}{b}" for a in "bdfgklmnprst" for b in "aeiou"]


def questions(seed: int, counts: dict[str, int]) -> list[tuple[str, str]]:
    """(question, label): made-up words, and among them the label as a word."""
    chance = random.Random(seed)
    made = []
    for label, count in counts.items():
        for _ in range(count):
            words = ["".join(chance.choices(SYLLABLES, k=2)) for _ in range(5)]
            words.insert(chance.randrange(5), f"about{label.lower()}")
            made.append((" ".join(words), label))
    chance.shuffle(made)
    return made


def write_rows(project: Project, name: str, rows: list[tuple[str, str]]) -> None:
    turns = [
        [{"role": "user", "content": asked}, {"role": "assistant", "content": json.dumps({"intent": label})}]
        for asked, label in rows
    ]
    project.write(f"data/raw/{name}.jsonl", "".join(f"{json.dumps({'messages': messages})}\n" for messages in turns))


def edit_params(project: Project, **values: Any) -> None:
    """Sets parameters: `train__sft__learning_rate=0.1`."""
    loaded = YAML(typ="safe", pure=True).load(project.read("params.yaml"))
    for dotted, value in values.items():
        section = loaded
        *outer, last = dotted.split("__")
        for name in outer:
            section = section[name]
        section[last] = value
    with (project.path / "params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(loaded, file)


def repeat_a_row(project: Project) -> None:
    """An edit that moves no score."""
    text = project.read("data/raw/a.jsonl")
    project.write("data/raw/a.jsonl", text + text.splitlines(keepends=True)[0])


def git(project: Project, *arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", *who, *arguments], cwd=project.path, check=True)


def build(project: Project, name: str) -> None:
    project.repro("compare")
    git(project, "add", "-A")
    git(project, "commit", "-qm", name)
    git(project, "tag", name)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A build `first` that learns six labels."""
    project = clone(tmp_path_factory.mktemp("planted") / "project")
    (project.path / "dvc.lock").unlink()
    for file in (project.path / "data/raw").iterdir():
        file.unlink()
    write_rows(project, "a", questions(1, LABELS))
    write_rows(project, "b", questions(2, LABELS | {"alpha": FLIPPED}))
    project.write("data/raw/text.txt", "\n\n".join(asked for asked, _ in questions(3, LABELS)))
    steps = YAML(typ="safe", pure=True).load(project.read("params.yaml"))["train"]
    edit_params(
        project, train={"sft": steps["sft"]}, quantize__Q8_0__from="sft", card__model="sft",
        evaluate__models=["base", "sft"], compare__gates={}, answer__chat__max_new_tokens=24,
        suites__chat__metrics=["exact_match", "label_accuracy"], suites__chat__slots=[],
        suites__chat__answer_schema=None, split__test_fraction=0.4, base__max_steps=100, base__hidden_size=64,
        base__intermediate_size=128, base__vocab_size=512, train__sft__max_length=128, train__sft__learning_rate=0.004,
        train__sft__per_device_train_batch_size=16, train__sft__num_train_epochs=16,
    )  # fmt: skip
    build(project, "first")
    return project


def blamed(project: Project, name: str, *arguments: str) -> str:
    """What `blame` prints of the build `first` and a later one, which is built and named here."""
    build(project, name)
    code, output = project.run(*BLAME, "first", name, *arguments)
    git(project, "checkout", "-q", "first")
    assert code == 0, output
    return output


BLAME = ("python", "-m", "stages.commands.cli", "blame", "sft.label_accuracy")


def causes(output: str) -> str:
    return next(line for line in output.splitlines() if line.startswith("cause: "))


@pytest.mark.slow
def test_200_flipped_labels_are_the_cause_beside_a_parameter_that_moves_nothing(first: Project) -> None:
    rows = questions(2, LABELS | {"alpha": FLIPPED})
    write_rows(first, "b", [(asked, "beta" if label == "alpha" else label) for asked, label in rows])
    edit_params(first, train__sft__logging_steps=20)
    output = blamed(first, "flipped")

    assert causes(output) == "cause: data/raw/b.jsonl (100%)", output
    assert "train.sft.logging_steps 25 -> 20" in output and "no row scored otherwise" in output, output
    assert "rows are in " in output, "flipped rows of the suite are other questions"
    assert sum(line.startswith("  lines ") for line in output.splitlines()) == 2, output


@pytest.mark.slow
def test_a_learning_rate_is_the_cause_beside_a_repeated_row(first: Project) -> None:
    edit_params(first, train__sft__learning_rate=0.0002)
    repeat_a_row(first)
    output = blamed(first, "rate")

    assert causes(output) == "cause: train.sft (100%)", output
    assert "data/raw/a.jsonl (rows): changed" in output, output


@pytest.mark.slow
def test_a_bug_of_a_helper_is_the_cause_beside_a_repeated_row(first: Project) -> None:
    first.edit("stages/answers/json_answer.py", "!= standard(b):", "!= standard(b).lower():")
    repeat_a_row(first)
    output = blamed(first, "bug")

    assert causes(output) == "cause: code (100%)", output
    assert "stages.answers.json_answer.equal" in output, output


@pytest.mark.slow
def test_a_repeated_row_alone_is_no_cause(first: Project) -> None:
    repeat_a_row(first)
    output = blamed(first, "repeated")
    assert causes(output) == "cause: none", output
    assert "data/raw/a.jsonl (rows): changed" in output, output
