"""`modelmake check` reports what `ingest` and `clean` would do with a file, and what to do about it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from stages.commands import file_report
from stages.params.data import FileRule
from stages.reading.record_reader import RecordReader
from tests.conftest import ROOT

REASON = re.compile(r'"((?:ambiguous|bad|broken|empty|no|over|personal|repeated|role|unknown|wrong)_[a-z]+)"')
GOOD = {"question": "How many legs has a spider?", "answer": "Eight."}


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output, as run in the project's root."""
    command = [sys.executable, "-m", "stages.commands.cli", "check", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).replace(f"{folder}/", "")


def write(folder: Path, *records: Any, name: str = "new.jsonl") -> str:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    (folder / name).write_text("".join(f"{line}\n" for line in lines))
    return str(folder / name)


def test_a_good_file_is_one_line(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD, {"text": "A text."})

    assert run(tmp_path, file) == (0, "new.jsonl: 2 records (qa 1, text 1), cleaned 2 rows\n")


def test_every_problem_is_reported_once_with_its_first_line_and_what_to_do(tmp_path: Path) -> None:
    unknown = {"title": "x", "reply": "y"}
    file = write(
        tmp_path, GOOD, unknown, GOOD, unknown, "{", GOOD | {"answer": "I'm sorry, but\nI can't."},
        GOOD | {"answer": "Ask jo@example.org"},
    )  # fmt: skip

    code, output = run(tmp_path, file)

    assert (code, output.splitlines()) == (1, [
        "new.jsonl: 7 records (qa 4), cleaned 2 rows",
        "  ingest: unknown_format 2, first in line 2: fields ['reply', 'title']: no format has these",
        f"    {file_report.ADVICE['unknown_format']}",
        "  ingest: repeated 1, first in line 3: same content as another record: How many legs has a spider? Eight.",
        f"    {file_report.ADVICE['repeated']}",
        output.splitlines()[5],
        f"    {file_report.ADVICE['broken_json']}",
        "  clean: refusal 1, first in line 6: I'm sorry, but I can't.",
        f"    {file_report.ADVICE['refusal']}",
        "  `ingest` would refuse it by itself: 42.86% of its records are unusable, at most 2.00% may be",
        "  clean changes email 1",
        "  personal data: email 1",
    ])  # fmt: skip
    assert output.splitlines()[5].startswith("  ingest: broken_json 1, first in line 5: ")


def test_answers_that_are_dropped_as_refusals_are_shown(tmp_path: Path) -> None:
    refusals = [GOOD | {"answer": f"I can't help with that{'!' * n}"} for n in range(7)]
    code, output = run(tmp_path, write(tmp_path, GOOD, *refusals))

    assert (code, output.splitlines()[1:]) == (0, [
        "  clean: refusal 7, first in line 2: I can't help with that",
        *(f"    line {n + 2}: I can't help with that{'!' * n}" for n in range(1, 5)),
        f"    {file_report.ADVICE['refusal']}",
    ])  # fmt: skip


def test_a_bad_answer_that_refuses_is_the_rejected_side_of_a_pair(tmp_path: Path) -> None:
    question = [{"role": "user", "content": "How many legs has a spider?"}]
    answers = (("Eight.", True), ("I can't help with that.", False))
    records = [{"prompt": question, "completion": [{"role": "assistant", "content": text}], "label": label}
               for text, label in answers]  # fmt: skip
    code, output = run(tmp_path, write(tmp_path, *records))

    assert code == 0 and "refusal" not in output


def test_of_a_long_file_the_first_records_are_checked(tmp_path: Path) -> None:
    file = write(tmp_path, *({"text": f"Text {n}"} for n in range(12)))

    assert run(tmp_path, file, "--records", "10") == (0, "new.jsonl: the first 10 records (text 10), cleaned 10 rows\n")
    assert run(tmp_path, file, "--records", "0") == (0, "new.jsonl: 12 records (text 12), cleaned 12 rows\n")


def test_rated_answers_are_paired_as_ingest_pairs_them(tmp_path: Path) -> None:
    answers = [{"prompt": p, "completion": c, "label": good} for p, c, good in
               (("Hi", "Hello!", True), ("Hi", "GO!", False), ("Bye", "GO!", False))]  # fmt: skip

    code, output = run(tmp_path, write(tmp_path, *answers))

    assert code == 0
    assert output.startswith("new.jsonl: 3 records (kto 3), cleaned 2 rows\n  ingest: bad_alone 1, first in line 3: ")


def test_a_log_without_ratings_has_no_usable_record(tmp_path: Path) -> None:
    code, output = run(tmp_path, write(tmp_path, {"messages": "q", "response": "a", "rating": None}))

    assert (code, output.splitlines()[-1]) == (1, "  `ingest` would refuse it by itself: none of its records is usable")


def test_files_of_a_folder_are_reported_as_json(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, {"text": "\u0000"}, name="other.jsonl")

    code, output = run(tmp_path, str(tmp_path), "--json")

    first, second = json.loads(output)["files"]
    assert (first["file"], first["rows"], first["whole"], first["formats"]) == ("new.jsonl", 1, True, {"qa": 1})
    assert [(p["stage"], p["reason"], p["line"]) for p in second["problems"]] == [("clean", "empty_text", 1)]
    assert code == 0


def test_a_missing_or_unreadable_file_is_one_line(tmp_path: Path) -> None:
    assert run(tmp_path, "gone.jsonl") == (
        1, f"{ROOT}/gone.jsonl: no such file or folder: want raw data to look at\n",
    )  # fmt: skip
    code, output = run(tmp_path, write(tmp_path, "x", name="new.docx"))
    assert code == 1 and output.startswith("new.docx: suffix .docx: want one of .json, ")


def test_every_file_of_a_folder_is_reported_and_texts_about_it_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").touch()
    (tmp_path / ".gitignore").touch()
    (tmp_path / "bad.csv").write_bytes(b"text\na\ncaf\xe9\n")
    (tmp_path / "new.docx").touch()
    write(tmp_path, GOOD)

    code, output = run(tmp_path, str(tmp_path))

    lines = output.splitlines()
    assert (code, len(lines)) == (1, 4)
    assert lines[0].startswith("bad.csv:3: byte 0xe9 is not UTF-8: save the file as UTF-8; `iconv ")
    assert lines[1].startswith("new.docx: suffix .docx: want one of .json, ")
    assert "convert it (a word processor saves PDF or HTML), move it elsewhere" in lines[1]
    assert lines[2:] == [
        "new.jsonl: 1 record (qa 1), cleaned 1 row",
        "left out: LICENSE (about the data, by name)",
    ]


def test_a_name_that_makes_all_rows_test_is_told(tmp_path: Path) -> None:
    file = write(tmp_path, GOOD, {"question": "q", "answer": "a"}, name="my_test.jsonl")
    write(tmp_path, GOOD, name="train.jsonl")
    report = (
        "my_test.jsonl: 2 records (qa 2), cleaned 2 rows\n  all of it is test, by 'test' in its name\n"
        "  splits given by its name: test 2\n"
    )

    assert run(tmp_path, file) == (
        0,
        f"{report}nothing of this is trained on: the names my_test.jsonl make them test: rename, map a field to "
        "`split` in ingest.files, or set ingest.splits: none\n",
    )

    assert run(tmp_path, str(tmp_path)) == (
        0,
        f"{report}train.jsonl: 1 record (qa 1), cleaned 1 row\n  splits given by its name: train 1\n",
    )


def test_fields_of_no_format_are_mapped_to_one_by_their_names(tmp_path: Path) -> None:
    record = {"ID": "a1", "Question": "Why?", "Answer": 3.0, "Note": "x"}
    file = write(tmp_path, record, name="q: 1.jsonl")

    code, output = run(tmp_path, file, "--json")

    [report] = json.loads(output)["files"]
    entry = yaml.safe_load(report["entry"])
    assert (code, entry) == (1, {
        "glob": "q: 1.jsonl", "format": "completion", "fields": {"prompt": "Question", "completion": "Answer"},
        "ignore": ["Note"],
    })  # fmt: skip
    rule = FileRule(**entry)
    reader = RecordReader(rule, None)
    [content], _ = reader.read(record)
    assert [turn["content"] for turn in json.loads(content)["messages"]] == ["Why?", "3.0"]
    assert reader.unread.fields == {}


def test_what_may_be_wrong_with_fields_of_no_format_is_told(tmp_path: Path) -> None:
    turns = json.dumps([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}])
    write(tmp_path, "Where is my card?,lost", "And now?,other", name="a.csv")
    write(tmp_path, {"data": json.dumps({"question": "q", "answer": "a"})}, {"data": "{"}, name="b.jsonl")
    write(tmp_path, {"rows": turns}, name="c.jsonl")

    code, output = run(tmp_path, str(tmp_path), "--json")

    notes = [file["notes"] for file in json.loads(output)["files"]]
    assert (code, [note for note, _ in notes]) == (1, [
        "its first line names its columns Where is my card?, lost: if it is a row, put a line of names above it",
        "its field data holds a record as text: make that the record; its fields are question, answer",
        "its field rows holds a list as text: map it, if it is of messages: `messages: rows`",
    ])  # fmt: skip
    assert notes[0][1].startswith("no name among Where is my card?, lost is known for a question with its answer")


def test_an_entry_leaves_out_what_may_change_the_meaning_of_rows_only_if_it_is_all_that_is_missing(
    tmp_path: Path,
) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    write(tmp_path, {"messages": turns, "image": "a.png", "note": "x"}, name="known.jsonl")
    write(tmp_path, {"query": "q", "reply": "a", "more": {"rating": 3}, "note": "x"}, name="unknown.jsonl")

    code, output = run(tmp_path, str(tmp_path), "--json")

    known, unknown = (yaml.safe_load(file["entry"]) for file in json.loads(output)["files"])
    assert code == 1
    assert known == {"glob": "known.jsonl", "format": None, "fields": None, "ignore": ["image"]}
    assert unknown == {"glob": "unknown.jsonl", "format": "completion",
                       "fields": {"prompt": "query", "completion": "reply"}, "ignore": ["note"]}  # fmt: skip


def test_a_list_of_names_is_no_data(tmp_path: Path) -> None:
    (tmp_path / "categories.json").write_text('["lost_card", "card_arrival"]')

    code, output = run(tmp_path, str(tmp_path / "categories.json"))

    assert (code, output.splitlines()[2]) == (1, f"    {file_report.ADVICE_NO_OBJECT}")


def test_fields_that_nothing_reads_are_told_with_their_count_and_an_example(tmp_path: Path) -> None:
    code, output = run(tmp_path, write(tmp_path, {**GOOD, "system": "s"}, {"text": "A text."}))
    assert (code, output) == (0, "new.jsonl: 2 records (qa 1, text 1), cleaned 2 rows\n")

    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    images = {"messages": turns, "images": ["x.png"], "topic": "x", "id": 1}
    code, output = run(tmp_path, write(tmp_path, images, {**images, "topic": None}))

    assert code == 1
    assert [line for line in output.splitlines() if "not read" in line] == [
        "  not read: images.* of 2 records, such as 'x.png'; may be an image, a sound or a film",
        "  not read: topic of 1 record, such as 'x'",
        "  `ingest` would refuse it by itself: images.*: not read, and rows without may mean something else",
    ]


def test_every_reason_has_advice() -> None:
    stages = ROOT / "stages"
    sources = [*(stages / "reading").rglob("*.py"), *(stages / "cleaning").glob("*.py"), stages / "rows/parts.py"]
    reasons = {reason for source in sources for reason in REASON.findall(source.read_text())}

    assert {"unknown_format", "no_field", "role_order", "empty_answer", "broken_csv"} <= reasons
    assert reasons <= file_report.ADVICE.keys()
