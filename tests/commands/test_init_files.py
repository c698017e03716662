"""`modelmake init FILES` writes params that preflight takes, says why, and refuses what it cannot tell."""

import argparse
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from modelmake.errors import UserError
from stages import preflight
from stages.commands import init
from stages.params.data import FileRule
from stages.reading.files import matching_rule
from tests.conftest import ROOT

Records = list[dict[str, Any]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the command needs of the project, committed; it is the working folder."""
    for name in ("recipes", "params.yaml"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    subprocess.run("git init -q && git add -A && git -c user.name=t -c user.email=t@t commit -qm t",
                   cwd=tmp_path, shell=True, check=True)  # fmt: skip
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: Path, records: Records) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def questions(n: int, **more: Any) -> Records:
    return [{"question": f"How much is {i} and {i}?", "answer": f"It is {2 * i}.", **more} for i in range(n)]


def run(*files: str, **options: Any) -> None:
    given = {"base": None, "recipe": None, "force": False, "dry_run": False, "here": Path.cwd()} | options
    init.run(argparse.Namespace(files=[Path(file) for file in files], **given))


def written(project: Path) -> dict[str, Any]:
    """The values of params.yaml, which have no problem but that they name data of a whole project."""
    values = params.load(project / "params.yaml")
    chapters, problems = preflight.decode(values)
    problems += [p for p in preflight.project_problems(chapters) if "golden" not in p and "decontaminate" not in p]
    assert problems == []
    return values


def test_files_become_params_and_every_decision_has_its_reason(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(project / "data/sums/sums.jsonl", questions(100))
    (project / "data/sums/LICENSE").write_text("MIT")

    run("data/sums")

    values, said = written(project), capsys.readouterr().out.splitlines()
    assert values["ingest"]["raw"] == "data/sums"
    assert [rule["glob"] for rule in values["ingest"]["files"]] == ["sums.jsonl"]
    assert list(values["train"]) == ["sft"] and values["evaluate"]["models"] == ["base", "sft"]
    assert values["datasheet"]["license"] is values["card"]["license"] is values["card"]["language"] is None
    assert values["mix"]["sources"]["all"]["synthetic"] is None
    assert "ingest.files: LICENSE: left out: a text about the data, by its name" in said
    assert "split.test_fraction: the source gives none" in said
    assert any(line.startswith("train.sft.rows: ") and line.endswith(" rows of kind chat to train on") for line in said)
    assert said[-1].startswith("params.yaml: written from ") and "recipes/default.yaml" in said[-1]


def test_a_dry_run_shows_the_difference_and_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(project / "data/sums.jsonl", questions(100))
    before = (project / "params.yaml").read_bytes()

    run("data/sums.jsonl", dry_run=True)

    said = capsys.readouterr().out
    assert "-  raw: data/raw\n+  raw: data/sums.jsonl\n" in said and "--- params.yaml\n+++ proposed\n" in said
    assert (project / "params.yaml").read_bytes() == before


def test_edits_of_params_are_not_overwritten_without_force(project: Path) -> None:
    put(project / "data/sums.jsonl", questions(100))
    (project / "params.yaml").write_text((project / "params.yaml").read_text("utf-8") + "# mine\n", "utf-8")

    with pytest.raises(UserError, match="edits that are not committed"):
        run("data/sums.jsonl")

    run("data/sums.jsonl", force=True)
    assert written(project)["ingest"]["raw"] == "data/sums.jsonl"


def test_a_name_with_brackets_is_no_pattern(project: Path) -> None:
    put(project / "data/two/a[1].jsonl", questions(60))
    put(project / "data/two/b.jsonl", questions(60))

    run("data/two/a[1].jsonl", "data/two/b.jsonl")
    (project / "data/two/c.jsonl").write_text("x")
    run("data/two/a[1].jsonl", "data/two/b.jsonl")

    rules = [FileRule(**rule) for rule in written(project)["ingest"]["files"]]
    names = ("a[1].jsonl", "b.jsonl", "c.jsonl", "a1.jsonl")
    assert [matching_rule(name, rules) for name in names] == [*rules, None, None]


def test_init_writes_again_what_it_wrote_until_somebody_edits_it(project: Path) -> None:
    put(project / "data/sums.jsonl", questions(100))
    put(project / "data/more.jsonl", questions(120))
    (project / "mine.yaml").write_text("dedup: {max_dropped_fraction: 0.4}\n")

    run("data/sums.jsonl")
    run("data/more.jsonl", recipe="mine.yaml")
    run(recipe="mine.yaml")
    run("data/more.jsonl")
    assert written(project)["ingest"]["raw"] == "data/more.jsonl"

    text = (project / "params.yaml").read_text("utf-8")
    for edited in (text.replace("seed: 42", "seed: 2", 1), text + "# mine\n", "# mine\n" + text):
        assert edited != text
        (project / "params.yaml").write_text(edited, "utf-8")
        with pytest.raises(UserError, match="edits that are not committed"):
            run("data/sums.jsonl")


def test_a_recipe_below_decides_how_much_is_computed_and_the_files_the_rest(project: Path) -> None:
    put(project / "data/sums.jsonl", questions(100))

    run("data/sums.jsonl", recipe="tiny")

    values, tiny = written(project), init.values(ROOT / "recipes/tiny.yaml", ROOT / "recipes/default.yaml")
    assert values["base"]["max_steps"] == tiny["base"]["max_steps"] == 5
    assert values["train"]["sft"]["num_train_epochs"] == tiny["train"]["sft"]["num_train_epochs"]
    assert values["base"]["source"] == "data/mixed/chat.jsonl" and "dpo" not in values["train"]


def test_lengths_are_counted_with_the_vocabulary_of_the_recipe_below(project: Path) -> None:
    words = [f"{first}{last}tion" for first in "abcdefghij" for last in "klmnopqrst"]
    put(project / "data/words.jsonl", [{"question": f"{word} ?" * 40, "answer": word} for word in words])
    for vocab_size in (300, 1000):
        base = {"vocab_size": vocab_size}
        (project / f"{vocab_size}.yaml").write_text(json.dumps({"base": base}))
    found = []
    for vocab_size in (300, 1000):
        run("data/words.jsonl", recipe=f"{vocab_size}.yaml", force=True)
        found.append(written(project)["train"]["sft"]["max_length"])

    assert found[0] > found[1], "fewer pieces of words make more tokens"


def test_a_file_named_train_alone_is_split_by_hash(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(project / "data/mine/my_train.jsonl", questions(100))

    run("data/mine")

    values = written(project)
    assert values["ingest"]["splits"] == "none" and values["split"]["test_fraction"] == 0.2
    said = "all of my_train.jsonl is train, by 'train' in its name, and none is test: rows are split by hash"
    assert said in capsys.readouterr().out


def test_texts_chats_and_pairs_are_trained_on_one_after_the_other(project: Path) -> None:
    put(project / "data/all/a.jsonl", questions(60))
    put(
        project / "data/all/b.jsonl", [{"prompt": f"Say {i}.", "chosen": f"{i}.", "rejected": "No."} for i in range(60)]
    )
    put(project / "data/all/c.jsonl", [{"text": f"A long text about the number {i}. " * 20} for i in range(60)])

    run("data/all")

    values = written(project)
    steps = [(name, step["rows"], step["from"]) for name, step in values["train"].items()]
    assert steps == [("cpt", "text", "base"), ("sft", "chat", "cpt"), ("dpo", "pair", "sft")]
    assert values["base"]["source"] == "data/mixed/text.jsonl"
    assert values["evaluate"]["suites"] == ["chat", "text"] and values["card"]["model"] == "dpo"


def test_judged_answers_beside_chats_are_trained_on_by_kto(project: Path) -> None:
    put(project / "data/all/a.jsonl", questions(60))
    rated = [{"prompt": f"Say {i}.", "completion": f"{i}.", "label": i % 2 == 0} for i in range(60)]
    put(project / "data/all/b.jsonl", rated)

    run("data/all")

    values = written(project)
    assert values["ingest"]["judged"] == "rows"
    assert (values["train"]["kto"]["method"], values["train"]["kto"]["from"]) == ("kto", "sft")
    assert values["evaluate"]["models"] == ["base", "sft", "kto"]


def test_texts_alone_are_refused_as_no_answer_could_be_compared(project: Path) -> None:
    put(project / "data/prose.jsonl", [{"text": f"A text about the number {i}."} for i in range(60)])

    with pytest.raises(UserError, match=r"prose.jsonl: found rows of kind text alone: want chats or pairs:"):
        run("data/prose.jsonl")


def test_one_file_of_a_folder_is_the_only_one_that_is_read(project: Path) -> None:
    put(project / "data/two/a.jsonl", questions(60))
    put(project / "data/two/b.jsonl", questions(60))
    put(project / "data/two/c.jsonl", questions(60))

    run("data/two/a.jsonl", "data/two/b.jsonl")

    ingest = written(project)["ingest"]
    assert (ingest["raw"], [rule["glob"] for rule in ingest["files"]]) == ("data/two", ["a.jsonl", "b.jsonl"])


def test_hidden_folders_are_no_data(project: Path) -> None:
    put(project / "data/two/a.jsonl", questions(60))
    put(project / "data/two/.cache/huggingface/b.jsonl", questions(9))
    (project / "data/two/.git").mkdir()
    (project / "data/two/.git/c.json").write_text("{")

    run("data/two")

    assert written(project)["ingest"]["files"] == []


def test_files_outside_the_project_are_refused_with_what_to_do(project: Path, tmp_path_factory: Any) -> None:
    outside = put(tmp_path_factory.mktemp("outside") / "sums.jsonl", questions(9))

    with pytest.raises(UserError, match=r"lies outside of .*: want data that the project keeps; copy it to data/sums"):
        run(str(outside))


def test_fields_without_known_names_are_refused_and_a_recipe_that_maps_them_is_taken(project: Path) -> None:
    put(project / "data/odd.jsonl", [{"eins": f"Frage {i}?", "zwei": f"Antwort {i}."} for i in range(60)])

    with pytest.raises(UserError, match=r"no name among eins, zwei is known .*`ingest: \{files: \[\{glob: 'odd.jsonl'"):
        run("data/odd.jsonl")

    rule = {"glob": "odd.jsonl", "format": "qa", "fields": {"question": "eins", "answer": "zwei"}, "ignore": []}
    (project / "mine.yaml").write_text(json.dumps({"ingest": {"files": [rule]}}))
    run("data/odd.jsonl", recipe="mine.yaml")
    assert written(project)["ingest"]["files"] == [rule]


def test_what_lists_have_beyond_the_mapped_field_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [{"question": f"Why is {i}?", "answers": [{"text": f"{i}"}, {"text": f"{i}!"}][: 1 + i % 2]}
               for i in range(60)]  # fmt: skip
    put(project / "data/lists.jsonl", records)

    run("data/lists.jsonl")

    said = capsys.readouterr().out
    assert "lists.jsonl: 30 records have more of answers.*.text than the first, which is in no row" in said
    fields = {"prompt": "question", "completion": "answers.0.text"}
    assert written(project)["ingest"]["files"][0]["fields"] == fields


def test_how_long_training_takes_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(project / "data/sums.jsonl", questions(100))

    run("data/sums.jsonl")

    assert "tokens, about 1 minute on one core" in capsys.readouterr().out


def test_a_field_that_changes_what_rows_mean_is_asked_about(project: Path) -> None:
    put(project / "data/sums.jsonl", questions(60, sample_weight=0, note="x"))

    with pytest.raises(UserError, match=r"nothing reads sample_weight .* want it mapped or left out by name"):
        run("data/sums.jsonl")

    rule = {"glob": "*", "format": "qa", "fields": {"question": "question", "answer": "answer"},
            "ignore": ["sample_weight"]}  # fmt: skip
    (project / "mine.yaml").write_text(json.dumps({"ingest": {"files": [rule]}}))
    run("data/sums.jsonl", recipe="mine.yaml")
    assert written(project)["ingest"]["files"] == [rule]


def test_a_named_base_is_fine_tuned_by_lora(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.tiny_models import build_model

    put(project / "data/sums.jsonl", questions(60))
    build_model(project / "models/mine")

    run("data/sums.jsonl", base=Path("models/mine"))

    values = written(project)
    assert values["base"] == {"kind": "folder", "source": "models/mine", "chat_template": None}
    assert values["train"]["sft"]["weights"]["r"] == 16
    assert "base: named; it reads " in capsys.readouterr().out


def test_a_base_that_is_not_there_is_told(project: Path) -> None:
    put(project / "data/sums.jsonl", questions(60))

    with pytest.raises(UserError, match="models/none: no such file or folder: want a model's folder, or a pin"):
        run("data/sums.jsonl", base=Path("models/none"))
