"""Recipes on the data that they are for. It is no part of this repository, and lies beside the clone if anywhere."""

import csv
import itertools
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from ruamel.yaml import YAML

from stages.evaluating import verdicts
from tests.conftest import ROOT, Project, clone

DATA = ROOT.parent / "shared/data"
FILES = {
    "banking77": ("banking77/train.csv", "banking77/test.csv"),
    "gsm8k": ("gsm8k/train.jsonl", "gsm8k/test.jsonl"),
    "pgdocs": ("pgdocs14/pgdocs14.jsonl",),
}
PAIRS = "gsm8k_pref/pairs.jsonl"
STAGES = ("ingest", "clean", "dedup", "split")
# A sample learns for some seconds only: what it scores says nothing.
QUICK = {
    "max_steps": 30, "num_train_epochs": 1, "warmup_steps": 5, "logging_steps": 10, "eval_steps": 1000, "min_rows": 10,
}  # fmt: skip

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not DATA.is_dir(), reason="no real data in ../shared/data")]


def recipe(folder: Path, name: str) -> Project:
    """A clone with the recipe's params and whole data."""
    project = clone(folder)
    project.init(name)
    (folder / "data" / name).mkdir()
    for file in FILES[name]:
        shutil.copyfile(DATA / file, folder / "data" / name / Path(file).name)
    return project


def quick(project: Project, **values: Any) -> None:
    """Sets these parameters wherever they stand."""
    text = project.read("params.yaml")
    for name, value in (QUICK | values).items():
        text, times = re.subn(rf"^( +{name}: )[^#\n]*?( *)(#.*)?$", rf"\g<1>{value}", text, flags=re.MULTILINE)
        assert times, name
    project.write("params.yaml", text)


def lines(project: Project, path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file_lines(project.path / path)]


def file_lines(path: Path) -> list[str]:
    """The lines that line feeds end; JSON holds other separators as they are."""
    return [line for line in path.read_text("utf-8").split("\n") if line]


def accounts(project: Project) -> dict[str, Any]:
    """The data stages' reports, each of which accounts for what the one before gave."""
    found = {stage: project.json(f"reports/data/{stage}.json") for stage in STAGES}
    for report in found.values():
        assert report["in"] == report["out"] + sum(report["dropped"].values())
    for before, after in itertools.pairwise(found.values()):
        assert before["out"] == after["in"]
    splits = found["split"]["splits"]
    for split, kinds in splits.items():
        assert kinds == {kind: len(lines(project, f"data/splits/{split}/{kind}.jsonl")) for kind in kinds}
    assert found["split"]["out"] == sum(sum(kinds.values()) for kinds in splits.values())
    return found


def asked(rows: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """(question, answer) of chats of one turn, without the white space around."""
    turns = [[message["content"].strip() for message in row["content"]["messages"]] for row in rows]
    return Counter((question, answer) for question, answer in turns)


def csv_rows(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def scored(project: Project, model: str, suite: str = "chat") -> list[dict[str, Any]]:
    return lines(project, f"reports/evaluate/{model}-{suite}.jsonl")


def training_accounts(project: Project, steps: dict[str, str], epochs: int = 1) -> None:
    """Every row of each step's split was trained on as often as epochs say, or was told as too long."""
    for step, kind in steps.items():
        log, rows = project.json(f"reports/train/{step}.json"), lines(project, f"data/mixed/{kind}.jsonl")
        assert log["in"] == len(rows) == log["out"] + sum(log["dropped"].values())
        consumed = Counter(i for batch in lines(project, f"reports/train/{step}.consumed.jsonl") for i in batch["ids"])
        assert consumed == {row["id"]: epochs for row in rows if row["id"] not in log["over_long"]}


def parity_holds(project: Project, model: str, least: float, most: float) -> None:
    """The verdict on the quantized file is what its answers and the model's say."""
    found, file = project.json("reports/parity/Q8_0.json"), lines(project, "reports/parity/Q8_0.jsonl")
    pairs = list(zip(file, scored(project, model), strict=True))
    assert all(a["id"] == b["id"] for a, b in pairs)
    same = sum(a["answer"] == b["answer"] for a, b in pairs) / len(pairs)
    right = [
        sum(answer["scores"]["exact_match"][0] for answer in side) / len(pairs) for side in zip(*pairs, strict=True)
    ]
    assert found["same_answers"] == pytest.approx(same, abs=1e-6)
    assert found["rows"] == len(pairs)
    passes = same >= least and abs(right[0] - right[1]) <= most
    assert found["verdict"] == ("pass" if passes else "fail")


def gates_hold(project: Project) -> None:
    """Every gate has the value that the metrics say, and is allowed only where it is on the good side of the bound."""
    metrics, gate = project.json("reports/metrics.json"), project.json("reports/gate.json")
    declared = YAML(typ="safe", pure=True).load(project.read("params.yaml"))["compare"]["gates"]
    assert gate["gates"].keys() == declared.keys()
    for name, wanted in declared.items():
        found, judged = metrics[wanted["model"]][wanted["metric"]], gate["gates"][name]
        lower = judged["limit"] == "at most" or wanted["metric"].endswith("bits_per_byte")
        if wanted["against"]:
            found = (found - metrics[wanted["against"]][wanted["metric"]]) * (-1 if lower else 1)
        assert judged["value"] == pytest.approx(found, abs=2e-6), name
        holds = found <= wanted["bound"] if judged["limit"] == "at most" else found >= wanted["bound"]
        assert judged["verdict"] in ({"ALLOW", "INCONCLUSIVE"} if holds else {"REJECT", "INCONCLUSIVE"}), name
    assert gate["verdict"] == verdicts.of_all(gate["gates"])


def test_banking77_is_accounted_for_and_its_test_split_is_whole(tmp_path: Path) -> None:
    project = recipe(tmp_path, "banking77")

    project.repro("split")

    found = accounts(project)
    assert found["ingest"]["formats"] == {"train.csv": {"labelled": 10003}, "test.csv": {"labelled": 3080}}
    # once white space around them is gone, 9999 training texts are left of 10003 and 6 of those are in test too
    assert found["clean"]["dropped"] == {"repeated": 4 + 6}
    assert found["split"]["splits"]["test"] == {"chat": 3080, "pair": 0, "judged": 0, "text": 0}
    test = asked(lines(project, "data/splits/test/chat.jsonl"))
    wanted = csv_rows(DATA / "banking77/test.csv")
    assert test == Counter((text.strip(), json.dumps({"intent": intent})) for text, intent in wanted)
    others = [row for split in ("train", "val") for row in lines(project, f"data/splits/{split}/chat.jsonl")]
    assert not {text for text, _ in asked(others)} & {text.strip() for text, _ in wanted}
    assert len({answer for _, answer in test}) == len({answer for _, answer in asked(others)}) == 77


def test_banking77_learns_and_its_figures_are_those_of_its_answers(tmp_path: Path) -> None:
    project = recipe(tmp_path, "banking77")
    intents: dict[str, str] = {}
    for name in ("train", "test"):  # of three intents
        path = tmp_path / f"data/banking77/{name}.csv"
        rows = [row for row in csv_rows(path) if row[1] in ("card_arrival", "card_linking", "exchange_rate")]
        intents |= {text.strip(): intent for text, intent in rows if name == "test"}
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "category"), *rows])
    quick(project, num_train_epochs=8)

    project.repro()

    found = accounts(project)
    assert found["ingest"]["in"] == (153 + 139 + 112) + 3 * 40
    assert found["split"]["splits"]["test"]["chat"] == 120
    training_accounts(project, {"sft": "chat"}, epochs=8)
    for model, metrics in project.json("reports/metrics.json").items():
        answers = scored(project, model)
        right = [label(answer["answer"]) == intents[answer["prompt"].strip()] for answer in answers]
        assert metrics["label_accuracy"] == pytest.approx(sum(right) / 120, abs=1e-6), model
        assert [bool(answer["scores"]["label_accuracy"][0]) for answer in answers] == right
    assert sum(right) >= 60, "sft tells three intents apart better than chance"
    gates_hold(project)
    parity_holds(project, "sft", 0.95, 0.01)


def label(answer: str) -> str | None:
    try:
        value = json.loads(answer)
    except ValueError:
        return None
    return value.get("intent") if isinstance(value, dict) else None


def test_gsm8k_is_accounted_for_and_preferences_over_its_test_questions_are_kept_out(tmp_path: Path) -> None:
    project = recipe(tmp_path, "gsm8k")
    shutil.copyfile(DATA / PAIRS, tmp_path / "data/gsm8k/pairs.jsonl")

    project.repro("split")

    found = accounts(project)
    assert found["ingest"]["formats"] == {
        "train.jsonl": {"qa": 7473}, "test.jsonl": {"qa": 1319}, "pairs.jsonl": {"pairs": 731}
    }  # fmt: skip
    assert found["ingest"]["dropped"] == found["clean"]["dropped"] == found["dedup"]["dropped"] == {}
    # each of them is about a question of the test split; four prefer its very answer, or nearly
    assert found["split"]["dropped"] == {"asked_in_test": 727, "similar_to_test": 4}
    splits = found["split"]["splits"]
    assert splits["test"]["chat"] == 1319 and splits["train"]["chat"] + splits["val"]["chat"] == 7473
    source = [json.loads(line) for line in file_lines(DATA / "gsm8k/test.jsonl")]
    assert asked(lines(project, "data/splits/test/chat.jsonl")) == Counter(
        (row["question"].strip(), row["answer"].strip()) for row in source
    )
    leaks = pyarrow.parquet.read_table(tmp_path / "data/leaks.parquet").to_pylist()
    assert {leak["kept_split"] for leak in leaks} == {"test"}


def test_gsm8k_goes_through_the_graph_and_its_numbers_are_those_of_its_answers(tmp_path: Path) -> None:
    project = recipe(tmp_path, "gsm8k")
    for name, rows in (("train", 200), ("test", 40)):
        path = tmp_path / f"data/gsm8k/{name}.jsonl"
        path.write_text("\n".join(file_lines(path)[:rows]) + "\n", "utf-8")
    quick(project, max_new_tokens=60)

    project.repro()

    found = accounts(project)
    assert (found["ingest"]["in"], found["split"]["splits"]["test"]["chat"]) == (240, 40)
    training_accounts(project, {"sft": "chat"})
    for model, metrics in project.json("reports/metrics.json").items():
        answers = scored(project, model)
        right = [official(answer["answer"]) == official(answer["expected"]) for answer in answers]
        assert all(official(answer["expected"]) for answer in answers)
        assert metrics["final_number"] == pytest.approx(sum(right) / 40, abs=1e-6), model
    gates_hold(project)
    parity_holds(project, "sft", 0.8, 0.01)


def official(answer: str) -> str | None:
    """The final number as GSM8K's authors take it."""
    found = re.search(r"#### (\-?[0-9\.\,]+)", answer)
    return found[1].strip().replace(",", "") if found else None


def characters(text: str) -> int:
    return len("".join(text.split()))


def groups(project: Project) -> Iterator[tuple[str, str]]:
    """(document, split) of every row of the splits."""
    group = {row["id"]: row["group"] for row in lines(project, "data/ingested/rows.jsonl")}
    for split, kind in itertools.product(("train", "val", "test"), ("chat", "text")):
        for row in lines(project, f"data/splits/{split}/{kind}.jsonl"):
            yield group[row["id"]], split


def test_pgdocs_becomes_pieces_that_are_the_whole_manual_and_no_document_is_in_two_splits(tmp_path: Path) -> None:
    project = recipe(tmp_path, "pgdocs")

    project.repro("split")

    found = accounts(project)
    assert found["ingest"]["formats"] == {"pgdocs14.jsonl": {"document": 201}}
    rows = {row["id"]: row["content"] for row in lines(project, "data/ingested/rows.jsonl")}
    places = pyarrow.parquet.read_table(tmp_path / "data/ingested/sources.parquet").to_pylist()
    assert len(places) == found["ingest"]["in"] and {place["line"] for place in places} == set(range(1, 202))
    texts = [rows[place["id"]]["text"] for place in places if rows[place["id"]]["kind"] == "text"]
    assert sum(map(characters, texts)) == 3478950  # all but the white space of the 201 documents
    assert max(map(len, texts)) <= 1000
    assert found["clean"]["dropped"] == {} and found["clean"]["changed"] == {}
    by_document: dict[str, set[str]] = {}
    for document, split in groups(project):
        by_document.setdefault(document, set()).add(split)
    assert {document for document, splits in by_document.items() if len(splits) > 1} == set()
    assert min(sum(split in splits for splits in by_document.values()) for split in ("val", "test")) >= 5
    source = [json.loads(line) for line in file_lines(DATA / "pgdocs14/pgdocs14.jsonl")]
    manual = "\n".join(row["text"] for row in source)
    for row in lines(project, "data/splits/test/chat.jsonl"):
        question, answer = (message["content"] for message in row["content"]["messages"])
        assert question.partition("\n\n")[2] in manual and f"# {answer}\n" in manual


def test_pgdocs_reads_its_held_out_pages_better_after_pretraining(tmp_path: Path) -> None:
    project = recipe(tmp_path, "pgdocs")
    path = tmp_path / "data/pgdocs/pgdocs14.jsonl"
    kept = [line for line in file_lines(path) if len(json.loads(line)["text"]) < 5000]
    path.write_text("\n".join(kept) + "\n", "utf-8")
    assert len(kept) == 93
    quick(project)

    project.repro()

    found = accounts(project)
    assert found["ingest"]["formats"] == {"pgdocs14.jsonl": {"document": 93}}
    training_accounts(project, {"cpt": "text", "sft": "chat"})
    held_out = {row["id"]: row["content"]["text"] for row in lines(project, "data/splits/test/text.jsonl")}
    metrics = project.json("reports/metrics.json")
    for model in ("base", "cpt", "sft"):
        read = scored(project, model, "text")
        assert {answer["id"]: answer["expected"] for answer in read} == held_out
        bits, bytes_ = (sum(answer["scores"]["bits_per_byte"][i] for answer in read) for i in (0, 1))
        assert bytes_ == sum(len(text.encode()) for text in held_out.values())
        assert metrics[model]["text.bits_per_byte"] == pytest.approx(bits / bytes_, abs=1e-6)
        right = [answer["answer"].strip() == answer["expected"].strip() for answer in scored(project, model)]
        assert metrics[model]["exact_match"] == pytest.approx(sum(right) / len(right), abs=1e-6)
    assert metrics["cpt"]["text.bits_per_byte"] < metrics["base"]["text.bits_per_byte"]
    assert metrics["cpt"]["text.token_accuracy"] > metrics["base"]["text.token_accuracy"]
    gates_hold(project)
    parity_holds(project, "sft", 0.9, 0.02)
