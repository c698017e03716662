"""Rows that a real llama.cpp made: each accounted for, each with its parents, nothing asked twice."""

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet
import pytest

from modelmake import params
from modelmake.errors import UserError
from stages import augment
from stages.params.augmentation import Augment
from stages.rows import jsonl
from stages.rows.row import KINDS, SPLITS, Chat, Message, make_row
from stages.rows.texts import content_texts
from tests import made_up_cleaning
from tests.augmenting.endpoints import BAD, GOOD, IRON, PARCEL, Door, method, prompts
from tests.conftest import Project, clone
from tests.test_split import PARAMS as SPLIT

KEY = "".join(("sk", "-of-", "this-", "test"))  # in pieces, so that no file of a clone has it
CLEAN = made_up_cleaning.params(max_chars=400)
WATER = "Only with distilled water, says the leaflet on page nine."
TOOLS = Chat([Message("user", "Call it"), Message("assistant", "Done")], [{"name": "call"}])


def chat(asked: str, answer: str = WATER) -> Chat:
    return Chat([Message("user", asked), Message("assistant", answer)])


def splits(folder: Path, *train: Chat, test: tuple[Chat, ...] = ()) -> Path:
    for split in SPLITS:
        (folder / split).mkdir(parents=True)
        for kind in KINDS:
            (folder / split / f"{kind}.jsonl").touch()
    jsonl.write(folder / "train/chat.jsonl", map(make_row, train))
    jsonl.write(folder / "test/chat.jsonl", map(make_row, test))
    return folder


class Made:
    """What the stage left."""

    def __init__(self, folder: Path) -> None:
        self.report = json.loads((folder / "report").read_bytes())
        self.rows = [row for kind in KINDS for row in jsonl.read(folder / f"augmented/{kind}.jsonl")]
        tables = (pyarrow.parquet.read_table(folder / f"augmented/{name}.parquet") for name in ("parents", "dropped"))
        self.parents, self.dropped = (table.to_pylist() for table in tables)


def run(folder: Path, *methods: dict[str, Any], train: tuple[Chat, ...], test: tuple[Chat, ...] = ()) -> Made:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "sets").mkdir()
    typed = params.section({"augment": {"methods": list(methods)}}, "augment", Augment, "params.yaml")
    before, archive = Path.cwd(), folder.with_name("archive")
    os.chdir(folder)
    try:
        augment.main(
            splits(Path("splits"), *train, test=test), Path("sets"), Path("none"), prompts(Path("prompts")),
            Path("augmented"), Path("report"), archive, typed, CLEAN, SPLIT,
        )  # fmt: skip
    finally:
        os.chdir(before)
    return Made(folder)


def turns(content: Any) -> list[str]:
    return content_texts(content)


def test_without_methods_there_are_no_rows_and_no_client(tmp_path: Path) -> None:
    made = run(tmp_path / "a", train=(chat(IRON),))

    assert (made.rows, made.parents, made.dropped) == ([], [], [])
    assert made.report == {"in": 0, "out": 0, "dropped": {}, "methods": {}}
    assert Augment(methods=[]).modules() == []


@pytest.mark.parametrize(
    ("tag", "asked", "said", "template"),
    [
        ("distill", IRON, [IRON, "Yes, up to 40 grams a minute."], ""),
        ("rewrite", IRON, ["Can I press shirts with vapour on this one?", WATER], "rewrite.txt"),
        ("evol_instruct", IRON, ["Which steam setting suits silk, and why?", "The lowest, as silk scorches."], None),
        ("self_instruct", IRON, ["Is the blender safe for hot soup?", "No, let it cool first."], "self_instruct.txt"),
        ("rank", PARCEL, [PARCEL, GOOD, BAD], "judge.txt"),
    ],
)
def test_each_method_makes_a_row_and_says_how(
    llama: str,
    tmp_path: Path,
    tag: str,
    asked: str,
    said: list[str],
    template: str | None,
) -> None:
    made = run(tmp_path / "a", method(tag, f"{llama}/v1"), train=(chat(asked), TOOLS))

    assert [turns(row.content) for row in made.rows] == [said]
    assert made.report == {"in": 1, "out": 1, "dropped": {}, "methods": {tag: {"in": 1, "out": 1}}}
    (line,) = made.parents
    assert (line["id"], line["parent"], line["method"]) == (made.rows[0].id, make_row(chat(asked)).id, tag)
    assert (line["teacher"], line["seed"], line["rules"]) == (f"tiny at {llama}/v1", 3, "")
    assert line["template"].startswith("evol_instruct/") if template is None else line["template"] == template
    assert len(line["prompt_sha256"]) == 64
    assert all((tmp_path / f"archive/{name[:2]}/{name}.json").is_file() for name in line["requests"].split())


def test_every_row_that_was_asked_for_is_there_or_has_a_reason(llama: str, tmp_path: Path) -> None:
    url = f"{llama}/v1"
    held = chat("Can I press shirts with vapour on this one?", "Yes.")
    made = run(
        tmp_path / "a", method("rewrite", url), method("distill", url, rows=1), method("distill", url, max_tokens=3),
        train=(chat(IRON), chat(PARCEL)), test=(held,),
    )  # fmt: skip

    assert made.report["in"] == 5 == made.report["out"] + sum(made.report["dropped"].values())
    assert made.report["dropped"]["cut_off"] == 2 and made.report["dropped"]["asked_in_test"] == 1
    assert all(line["requests"] for line in made.parents)
    gone = {line["id"] for line in made.dropped}
    assert len(gone) == len(made.dropped) and gone | {row.id for row in made.rows} == {x["id"] for x in made.parents}
    assert {line["parent"] for line in made.parents} == {make_row(chat(text)).id for text in (IRON, PARCEL)}


def test_a_rebuild_asks_nothing_and_gives_the_same_bytes(llama: str, tmp_path: Path) -> None:
    with Door(llama) as door:
        entries = [method(tag, door.url) for tag in ("distill", "rewrite", "rank")]
        entries[2]["judge"]["base_url"] = door.url
        run(tmp_path / "a", *entries, train=(chat(IRON), chat(PARCEL)))
        asked = len(door.bodies)
        assert asked == len(set(door.bodies)) > 10
        first = {p.name: p.read_bytes() for p in (tmp_path / "a/augmented").iterdir()}
    shutil.move(tmp_path / "a", tmp_path / "before")

    run(tmp_path / "a", *entries, train=(chat(IRON), chat(PARCEL)))  # the door is shut

    assert {p.name: p.read_bytes() for p in (tmp_path / "a/augmented").iterdir()} == first


def test_an_added_row_asks_for_itself_alone(llama: str, tmp_path: Path) -> None:
    with Door(llama) as door:
        run(tmp_path / "a", method("rewrite", door.url), train=(chat(IRON),))
        run(tmp_path / "a", method("rewrite", door.url), train=(chat(IRON), chat(PARCEL)))

        assert len(door.bodies) == 2


def test_where_no_row_can_be_made_it_is_told(llama: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^augment.methods\[0\]: train has no chat to start from: want some of"):
        run(tmp_path / "a", method("distill", f"{llama}/v1"), train=(TOOLS,))
    with pytest.raises(UserError, match=r"^augment.methods\[0\]: every request was refused, the first by HTTP 400: "):
        run(tmp_path / "a", method("distill", f"{llama}/v1"), train=(chat("word " * 400),))


@pytest.mark.parametrize(
    ("tag", "values", "told"),
    [
        ("distill", {"base_url": "http://user:pw@host/v1"}, "methods[0].base_url: want http(s)://host[:port]/path"),
        ("distill", {"base_url": "ftp://host"}, "methods[0].base_url: want http(s)://host[:port]/path"),
        ("distill", {"base_url": "https://host/v1?key=1"}, "methods[0].base_url: want http(s)://host[:port]/path"),
        ("distill", {"api_key_env": KEY}, "methods[0].api_key_env: want the name of an environment variable"),
        ("rank", {"temperature": 0.0}, "methods[0].temperature = 0: want more: else all samples are the same"),
        ("distill", {"examples": 3}, "methods[0].examples: unknown key"),
    ],
)
def test_wrong_values_are_told_and_no_secret_is_shown(tag: str, values: dict[str, Any], told: str) -> None:
    _, problems = params.decode(Augment, {"methods": [method(tag, "http://127.0.0.1/v1", **values)]}, "augment")

    assert [problem.startswith(f"augment.{told}") for problem in problems] == [True]
    assert KEY not in problems[0] and "pw" not in problems[0]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/v1", "https://api.example.org/v1", "http://[::1]:80", "http://h"]
)
def test_a_right_url_is_taken(url: str) -> None:
    assert params.decode(Augment, {"methods": [method("distill", url)]}, "augment")[1] == []


def with_methods(project: Project, *entries: dict[str, Any]) -> None:
    project.edit("params.yaml", "methods: [] # none, and nothing is asked", f"methods: {json.dumps(entries)}")


@pytest.fixture
def stage(tmp_path: Path) -> tuple[Project, list[str]]:
    """A clone with splits of its own, and the stage's command."""
    project = clone(tmp_path / "clone")
    train = [chat(f"{IRON} {number}") for number in range(6)]
    splits(project.path / "data/splits", *train)
    shutil.rmtree(project.path / "stages/augmenting/prompts")
    prompts(project.path / "stages/augmenting/prompts")
    command = [
        "python", "-m", "stages.augment", "--splits", "data/splits", "--sets", "data/evaluations",
        "--tokenizer", "recipes/no_tokenizer.json", "--templates", "stages/augmenting/prompts",
        "--augmented", "data/augmented", "--report", "reports/data/augment.json",
    ]  # fmt: skip
    return project, command


def test_a_run_that_was_killed_goes_on_and_asks_nothing_twice(
    llama: str,
    stage: tuple[Project, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project, command = stage
    monkeypatch.setenv("TEACHER_KEY", KEY)
    with Door(llama) as door:
        with_methods(project, method("distill", door.url, parallel=1, api_key_env="TEACHER_KEY", timeout_s=60.0))
        door.hold_after(3)
        process = project.start(*command)
        end = time.monotonic() + 120
        while len(door.bodies) < 4:
            assert time.monotonic() < end and process.poll() is None, process.communicate()[0]
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert not (project.path / "data/augmented").exists()
        answered = list(door.answered)
        door.let.release(100)
        asked = len(door.bodies)

        code, output = project.run(*command)

        assert code == 0, output
        assert len(answered) == 3 and not set(answered) & set(door.bodies[asked:])
        assert len(door.bodies) == asked + 3
        (project.path / "data/augmented").rename(project.path / "data/before")
        project.edit("params.yaml", 'timeout_s": 60.0', 'timeout_s": 61.0')  # other parameters, the same requests
        code, again = project.run(*command)
        assert code == 0, again
        assert len(door.bodies) == asked + 3
    report = project.json("reports/data/augment.json")
    assert report["in"] == 6 == report["out"] + sum(report["dropped"].values())
    for file in project.path.rglob("*"):
        assert file.is_symlink() or not file.is_file() or KEY.encode() not in file.read_bytes(), file
    assert KEY not in output and KEY not in again


def test_an_endpoint_that_is_down_ends_the_stage_in_one_line(stage: tuple[Project, list[str]]) -> None:
    project, command = stage
    with_methods(project, method("distill", "http://127.0.0.1:9/v1"))

    code, output = project.run(*command)

    assert code == 1
    (line,) = [line for line in output.splitlines() if line.strip()]
    assert line.startswith("augment.methods[0]: http://127.0.0.1:9/v1: ConnectError: ") and line.endswith("; start it")


def test_answers_that_were_kept_are_as_they_came(llama: str, tmp_path: Path) -> None:
    run(tmp_path / "a", method("distill", f"{llama}/v1"), train=(chat(IRON),))
    (file,) = (tmp_path / "archive").rglob("*.json")
    kept = msgspec.json.decode(file.read_bytes())

    assert kept["request"]["messages"] == [{"role": "user", "content": IRON}]
    assert kept["response"]["choices"][0]["message"]["content"] == "Yes, up to 40 grams a minute."
