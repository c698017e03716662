"""Preflight reports all problems of params and code, a line each, and writes a key for every stage."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from modelmake.errors import UserError
from stages import preflight
from stages.params.training import Sft

ROOT = Path(__file__).parents[1]
COPIED = (
    "modelmake", "stages", "envs", "dvc.yaml", "params.yaml", "uv.lock", ".python-version", "data/raw",
    "data/golden.jsonl", "data/evaluations", "recipes",
)  # fmt: skip
STAGES = """
ingest clean dedup split augment mix datasheet base train.sft train.dpo merge.sft merge.dpo answer.base-chat
answer.sft-chat answer.dpo-chat evaluate.base-chat evaluate.sft-chat evaluate.dpo-chat
compare plots calibrate.Q8_0 quantize.Q8_0 answer_quantized.Q8_0 parity.Q8_0 card report
"""
TEXT_SUITE = {"rows": "text", "metrics": ["bits_per_byte"]}
SEMANTIC = {"threshold": 0.95, "neighbours": 16, "max_tokens": 256, "batch_size": 32}
Edit = Callable[[dict[str, Any]], Any]


def copied(folder: Path) -> Path:
    """The folder, with a copy of this project that preflight can read."""
    for name in (*COPIED, ".dvc/config"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with what params.yaml names: enough for checks that fail before code is read."""
    (tmp_path / "data").mkdir()
    for name in ("params.yaml", "data/golden.jsonl"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("data/raw", "data/evaluations", "recipes"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(project: Path) -> tuple[int, str, list[str]]:
    """Exit code, stdout and lines of stderr of the stage."""
    command = [sys.executable, "-m", "stages.preflight", "--keys", "keys"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr.splitlines()


def edit(project: Path, change: Edit) -> None:
    """Edits params.yaml (JSON is YAML)."""
    values = params.load(project / "params.yaml")
    change(values)
    (project / "params.yaml").write_text(json.dumps(values))


def rule(format: str | None, fields: dict[str, str] | None) -> dict[str, Any]:
    """An entry of ingest.files."""
    return {"glob": "*", "format": format, "fields": fields, "ignore": []}


def problems(files: Path, change: Edit) -> list[str]:
    """Lines of the error after an edit of the params."""
    edit(files, change)
    with pytest.raises(UserError) as error:
        preflight.check()
    return str(error.value).splitlines()


def test_a_valid_project_gets_a_key_for_every_stage(project: Path) -> None:
    assert run(project) == (0, "preflight: params.yaml is valid; 26 keys\n", [])
    assert {path.name for path in (project / "keys").iterdir()} == {
        f"{name}.json" for name in [*STAGES.split(), "graph", "needs"]
    }
    assert not list(project.glob(".*.partial"))


def test_one_mistake_hides_none_in_other_sections(files: Path) -> None:
    def change(values: dict[str, Any]) -> None:
        values["train"]["dpo"]["learning_rate"] = "fast"
        values["train"]["sft"]["from"] = "bass"
        values["suites"]["chat"]["label"] = None
        values["quantize"]["Q9"] = values["quantize"].pop("Q8_0") | {"from": "dop"}
        values["clean"]["max_chars"] = 0
        values["ingest"]["raw"] = "nowhere"

    told = "\n".join(problems(files, change))

    for mistake in (
        "train.dpo.learning_rate = 'fast'", "train.sft.from = 'bass'", "suites.chat.label = null",
        "quantize: name 'Q9'", "quantize.Q9.from = 'dop'", "parity.Q9: missing", "clean.max_chars = 0",
        "ingest.raw = 'nowhere'",
    ):  # fmt: skip
        assert mistake in told, mistake
    assert "'dpo': want one of" not in told, "it is there, though it has a mistake"


def test_a_mistake_in_params_hides_none_in_the_graph(project: Path) -> None:
    edit(project, lambda values: values["clean"].update(max_chars=0))
    text = (project / "dvc.yaml").read_text()
    (project / "dvc.yaml").write_text(text.replace("    params:\n    - dedup\n", "    params:\n    - split\n"))

    _, _, lines = run(project)

    assert [line.partition("=")[0].partition("[")[0].strip() for line in lines] == [
        "params.yaml: clean.max_chars", "dvc.yaml: dedup: params",
    ]  # fmt: skip


def test_the_kinds_of_rows_that_are_trained_on_are_told_to_mix(project: Path) -> None:
    run(project)
    assert json.loads((project / "keys/needs.json").read_text()) == ["chat", "pair", "text"]

    edit(project, lambda values: values["base"].update(source="data/mixed/chat.jsonl"))
    edit(project, lambda values: values["train"]["dpo"].update(beta=0.5))
    run(project)
    assert json.loads((project / "keys/needs.json").read_text()) == ["chat", "pair"]


def test_a_suite_of_texts_gets_a_key_for_every_model(project: Path) -> None:
    def change(values: dict[str, Any]) -> None:
        values["answer"]["text"] = {"kind": "likelihood", "batch_size": 1, "context_tokens": 512}
        values["suites"]["text"] = TEXT_SUITE
        values["evaluate"]["suites"].append("text")

    edit(project, change)
    code, _, lines = run(project)

    assert (code, lines) == (0, [])
    assert {f"{stage}.{model}-text.json" for stage in ("answer", "evaluate") for model in ("base", "sft", "dpo")} <= {
        path.name for path in (project / "keys").iterdir()
    }


def test_keys_of_other_items_keep_their_bytes_when_items_are_added_and_removed(project: Path) -> None:
    run(project)
    before = {path.name: path.read_bytes() for path in (project / "keys").iterdir()}

    edit(project, lambda values: values["evaluate"].update(models=["base", "sft", "dpo"], suites=["chat"]))
    edit(project, lambda values: values["train"].update(third={**values["train"]["sft"], "seed": 7}))
    run(project)

    after = {path.name: path.read_bytes() for path in (project / "keys").iterdir()}
    assert before.pop("graph.json") != after.pop("graph.json")
    assert after.keys() - before.keys() == {"train.third.json", "merge.third.json"}
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda v: v.update(trian={}), f"trian: unknown section; want one of {', '.join(preflight.CHAPTERS)}"),
        (lambda v: v.pop("report"), "report: missing; want this section"),
        (lambda v: v["ingest"].update(raw="data/row"),
         "ingest.raw = 'data/row': no such file or folder; put raw data there"),
        (lambda v: v["ingest"].update(files=[rule(None, {"messages": "turns", "sytem": "prompt"})]),
         "ingest.files[0].fields.sytem: no field of any format: want system"),
        (lambda v: v["ingest"].update(files=[rule("text", {"text": "q", "weigth": "w"})]),
         "ingest.files[0].fields.weigth: no field of text: want one of group, split, text, time"),
        (lambda v: v["ingest"].update(files=[rule("chat", None)]),
         "ingest.files[0].format = 'chat': want one of alpaca, sharegpt, messages, gemini, feedback, completion, "
         "pairs, kto, qa, multiple_choice, function_calls, text, labelled, document, or null"),
        (lambda v: v["ingest"].update(raw="data/empty"),
         "ingest.raw = 'data/empty': an empty folder; put raw data there"),
        (lambda v: v.update(base={"kind": "folder", "source": "data", "chat_template": "{{ messages }}"}),
         "train.sft.assistant_only_loss = True: the chat template of base has no {% generation %} block around "
         "assistant turns: want one, end token included; write such a template into base.chat_template (see "
         "docs/models.md), or write false"),
        (lambda v: v.update(base={"kind": "folder", "source": "gone", "chat_template": None}),
         "base.source = 'gone': no such file or folder"),
        (lambda v: v["base"].update(source=""),
         "base.source = '': want a path without spaces and signs that a shell reads"),
        (lambda v: v["ingest"].update(raw="my raw"),
         "ingest.raw = 'my raw': want a path without spaces and signs that a shell reads"),
        (lambda v: (v["suites"].update(golden=v["suites"]["chat"]), v["answer"].update(golden=v["answer"]["chat"]),
                    v["evaluate"]["suites"].append("golden")),
         "evaluate.suites = 'golden': data/golden.jsonl has no rows: want some there"),
        (lambda v: v["suites"]["chat"]["answer_schema"].update(required="product"),
         "suites.chat.answer_schema.required: 'product' is not of type 'array'"),
        (lambda v: v["clean"].update(tokenizer="gone"),
         "clean.tokenizer = 'gone': no such file or folder; for none, write recipes/no_tokenizer.json"),
        (lambda v: v["clean"].update(max_tokens=9),
         "clean.tokenizer = 'recipes/no_tokenizer.json': want a model's folder with max_tokens = 9, or "
         "max_tokens: null"),
        (lambda v: v["clean"].update(tokenizer="models/base"),
         "clean.tokenizer = 'models/base': a tiny base is made of the rows that clean gives: want another model's "
         "folder, or recipes/no_tokenizer.json"),
        (lambda v: v["dedup"].update(encoder="gone"),
         "dedup.encoder = 'gone': no such file or folder; for none, write recipes/no_encoder.json"),
        (lambda v: v["dedup"].update(encoder="models/base"),
         "dedup.encoder = 'models/base': a tiny base is made of the rows that dedup gives: want another model's "
         "folder, or recipes/no_encoder.json"),
        (lambda v: v["split"]["decontaminate"].update(sets="gone"),
         "split.decontaminate.sets = 'gone': no such folder; for none, make an empty one"),
    ],
    ids=lambda value: value.split(": ")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_each_problem_is_one_exact_line(files: Path, change: Edit, line: str) -> None:
    (files / "data/empty").mkdir()

    assert problems(files, change) == [f"params.yaml: {line}"]


def test_a_second_model_from_elsewhere_is_a_folder_with_a_config(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sft, "second_model_as", lambda _: "a teacher")
    (files / "teacher").mkdir()

    def change(values: dict[str, Any]) -> None:
        values["train"]["sft"]["second_model"] = "teacher"

    assert problems(files, change) == [
        "params.yaml: train.sft.second_model = 'teacher': no folder of a model, which has config.json; for none, write "
        "recipes/no_model.json"
    ]
    (files / "teacher/config.json").write_text("{}")
    assert not any("second_model" in problem for problem in problems(files, change))


def test_semantic_dedup_needs_an_encoder(files: Path) -> None:
    assert problems(files, lambda values: values["dedup"].update(semantic=SEMANTIC)) == [
        "params.yaml: dedup.encoder = 'recipes/no_encoder.json': want an encoder's folder, or a pin of one of the "
        "hub; or write dedup.semantic: null"
    ]


def test_an_encoder_and_the_code_that_runs_it_are_in_the_key_of_dedup_only_if_it_has_one(project: Path) -> None:
    run(project)
    before = json.loads((project / "keys/dedup.json").read_text())
    pin = "recipes/pins/smollm2_135m.json"
    edit(project, lambda values: values["dedup"].update(semantic=SEMANTIC, encoder=pin))
    run(project)

    after = json.loads((project / "keys/dedup.json").read_text())
    assert {"stages.similarity.semantic", "stages.similarity.embeddings"} <= after["symbols"].keys() - before[
        "symbols"
    ].keys()
    assert {"torch", "transformers", "usearch"} <= after["packages"].keys() - before["packages"].keys()
    assert pin in json.loads((project / "keys/graph.json").read_text())["dedup"]["deps"]


def test_a_golden_set_with_another_hash_is_a_problem(files: Path) -> None:
    (files / "data/golden.jsonl").write_text("{}")

    [line] = problems(files, lambda values: None)

    assert line.startswith("data/golden.jsonl: SHA-256 44136fa355b3678a") and "want 01ba4719c80b6fe9" in line


def test_all_problems_are_reported_at_once(files: Path) -> None:
    def change(values: dict[str, Any]) -> None:
        values["train"]["sft"]["learning_rate"] = "1e-4"
        values["clean"]["max_chars"] = 0
        values["compare"]["baseline"] = "bse"

    assert sorted(problems(files, change)) == [
        "params.yaml: clean.max_chars = 0: expected `int` >= 1",
        "params.yaml: compare.baseline = 'bse': want one of base, dpo, sft",
        "params.yaml: train.sft.learning_rate = '1e-4': want a number, got text; write 0.0001 without quotes",
    ]


def test_a_project_with_problems_keeps_its_old_keys(project: Path) -> None:
    (project / "keys").mkdir()
    (project / "keys/old.json").write_text("{}")
    edit(project, lambda values: values["card"].update(model="dop"))

    assert run(project) == (1, "", ["params.yaml: card.model = 'dop': want one of base, dpo, sft"])
    assert [path.name for path in (project / "keys").iterdir()] == ["old.json"]
