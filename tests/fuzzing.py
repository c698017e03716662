"""Random raw files for every reader, valid and damaged, and the check that `ingest` loses no record of them."""

import bz2
import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow
import pyarrow.parquet
from hypothesis import strategies as st

from modelmake.errors import UserError
from stages import ingest
from stages.params.data import Documents, FileRule, Ingest
from stages.reading import files
from stages.reading.containers import READERS
from stages.reading.formats import READERS as FORMATS
from stages.rows import jsonl
from stages.rows.parts import content_problem
from stages.rows.row import Row, make_row
from tests import fuzzing_fields as fields


class Case(NamedTuple):
    name: str  # of the file
    content: bytes
    records: int | None  # in the file; None: unknown, as it may be damaged


TEXT = st.sampled_from(
    ["", " ", "a", "Where is it?", "é😀", 'say "x", and', "a\nb", "# A\n\nb.", "\\", "\u2028", "\x00"]
) | (st.text(max_size=8))
SCALAR = TEXT | st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats()
CALL = st.fixed_dictionaries(
    {"function": st.fixed_dictionaries({"name": TEXT, "arguments": TEXT | st.just('{"n": 1}')})}
)
TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool", "x"]), "content": TEXT | st.none()},
    optional={"tool_calls": st.lists(CALL | SCALAR, max_size=2), "name": SCALAR},
) | st.fixed_dictionaries({"from": st.sampled_from(["human", "gpt", "function_call", 3]), "value": TEXT})
TURNS = st.lists(TURN | SCALAR, max_size=4) | st.just(
    [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
)
VALUE = TEXT | TURNS | SCALAR | st.dictionaries(TEXT, SCALAR, max_size=2)
FIELDS = {  # format -> (required fields, optional fields)
    "alpaca": (("instruction", "output"), ("input", "system", "history")),
    "sharegpt": (("conversations",), ("system", "tools")),
    "messages": (("messages",), ("tools", "functions")),
    "gemini": (("contents",), ("systemInstruction", "tools")),
    "feedback": (("messages", "response"), ("rating", "edit", "tools")),
    "completion": (("prompt", "completion"), ("system", "tools")),
    "pairs": (("chosen", "rejected"), ("prompt", "system", "tools")),
    "kto": (("prompt", "completion", "label"), ("system",)),
    "qa": (("question", "answer"), ()),
    "multiple_choice": (("question", "choices", "answer"), ("context", "system")),
    "function_calls": (("query", "tools", "answers"), ("system",)),
    "text": (("text",), ()),
    "labelled": (("text", "label"), ()),
    "document": (("path", "text"), ()),
}
WORDS = st.sampled_from(["a", "Where is it?", "é😀", "Here.\n"])
SAID = WORDS | WORDS.map(lambda text: [{"type": "text", "text": text}])
USER_TURN, ASSISTANT_TURN = (
    (SAID | SAID | st.sampled_from(parts)).map(lambda t, r=r: {"role": r, "content": t})
    for r, parts in (("user", [fields.RESULT_PARTS]), ("assistant", [fields.CALL_PARTS, fields.GEMINI_PARTS]))
)
VALID_VALUES = {  # of fields; any other field takes WORDS
    "label": st.booleans(), "rating": st.sampled_from([None, 1, -1, True, "down"]), "edit": st.none() | WORDS,
    "response": WORDS | ASSISTANT_TURN, "history": st.just([["q", "a"]]), "tools": st.just([{"name": "f"}]),
    "choices": st.lists(WORDS, min_size=2, max_size=3) | st.just({"text": ["a", "b"], "label": ["1", "2"]}),
    "answers": st.sampled_from([[{"name": "f", "arguments": {"n": 1}}], '[{"name": "f", "arguments": {}}]']),
    "functions": st.just('[{"name": "f"}]'), "contents": st.tuples(WORDS, WORDS).map(
        lambda texts: [{"role": r, "parts": [{"text": t}]} for r, t in zip(("user", "model"), texts, strict=True)]
    ), "messages": st.tuples(USER_TURN, ASSISTANT_TURN).map(list)
    | st.tuples(USER_TURN, st.just(fields.ITEM)).map(list),
    "conversations": st.tuples(WORDS, WORDS).map(
        lambda texts: [{"from": "human", "value": texts[0]}, {"from": "gpt", "value": texts[1]}]
    ) | st.tuples(WORDS, WORDS).map(lambda texts: [{"human": texts[0], "assistant": texts[1]}, list(texts)]),
    "chosen": WORDS | st.tuples(st.just({"role": "user", "content": "q"}), ASSISTANT_TURN).map(list),
    "rejected": WORDS | st.tuples(st.just({"role": "user", "content": "q"}), ASSISTANT_TURN).map(list),
}  # fmt: skip


def _records(values: Callable[[str], st.SearchStrategy]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        *(
            st.fixed_dictionaries({n: values(n) for n in required}, optional={n: values(n) for n in optional})
            for required, optional in FIELDS.values()
        )
    )


VALID = _records(lambda name: VALID_VALUES.get(name, WORDS))
RECORD = st.one_of(
    VALID,
    _records(lambda name: VALID_VALUES.get(name, WORDS) | VALUE),
    _records(lambda name: VALUE),
    st.dictionaries(TEXT, SCALAR, max_size=3),
)
COLUMNS = st.sampled_from(
    [("text",), ("text", "label"), ("question", "answer"), ("prompt", "completion", "label"), ("x",)]
)
HTML = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<h1>",
        "</h1>",
        "<article>",
        "A sentence that a reader reads to its end. ",
        "<",
        "&#0;",
        "<!--",
        "\n",
    ]
)
PAGE = f"<html><body><article><h1>A heading</h1><p>{'A sentence that a reader reads to its end. ' * 4}</p>"
PDF = (
    b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
    b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>\nendobj\n"
    b"4 0 obj\n<</Length 30>>\nstream\nBT /F 9 Tf 9 9 Td (word.) Tj ET\nendstream\nendobj\n"
    b"5 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\ntrailer\n<</Size 6/Root 1 0 R>>\n%%EOF\n"
)


def _jsonl(records: list[Any]) -> bytes:
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


def _table(delimiter: str) -> Callable[[tuple[tuple[str, ...], list[tuple[str, str, str]]]], bytes]:
    def write(table: tuple[tuple[str, ...], list[tuple[str, str, str]]]) -> bytes:
        columns, lines = table
        file = io.StringIO(newline="")
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows(line[: len(columns)] for line in lines)
        return file.getvalue().encode("utf-8", "replace")

    return write


def _parquet(lines: list[tuple[str, str, list[dict[str, Any]]]]) -> bytes:
    columns = {"prompt": 0, "completion": 1} if len(lines) % 2 else {"messages": 2}
    table = pyarrow.table({name: [line[i] for line in lines] for name, i in columns.items()})
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue().to_pybytes()


PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
SIMPLE = st.tuples(WORDS, WORDS).map(
    lambda texts: [{"role": "user", "content": texts[0]}, {"role": "assistant", "content": texts[1]}]
) | st.lists(st.fixed_dictionaries({"role": PLAIN | st.just("user"), "content": PLAIN}), max_size=3)
ROWS = st.tuples(
    COLUMNS, st.lists(st.tuples(TEXT | WORDS, TEXT | WORDS, TEXT | st.sampled_from(["True", "False"])), max_size=6)
)
RARELY = st.sampled_from([True, False, False])
# Builds of their own, as `|` would take the strategies within them apart and choose each alike.
SALTED, WILD = (st.builds(fields.salted, record, fields.SALT, st.booleans(), RARELY) for record in (VALID, RECORD))
FILE_RECORD = SALTED | SALTED.map(dict) | WILD | RECORD.map(dict)
CONTAINERS = {  # suffix -> bytes of a file
    ".jsonl": st.lists(FILE_RECORD | SCALAR.map(lambda value: value), max_size=6).map(_jsonl),
    ".ndjson": st.lists(FILE_RECORD, max_size=6).map(_jsonl),
    ".json": st.lists(FILE_RECORD | SCALAR.map(lambda value: value) | st.tuples(TEXT, TEXT), max_size=6)
    .map(json.dumps)
    .map(str.encode)
    | st.dictionaries(st.sampled_from(["train", "dev", "x"]), st.lists(RECORD, max_size=3))
    .map(json.dumps)
    .map(str.encode),
    ".csv": ROWS.map(_table(",")),
    ".tsv": ROWS.map(_table("\t")),
    ".txt": st.lists(TEXT).map("\n".join).map(lambda t: t.encode("utf-8", "replace")),
    ".md": st.lists(TEXT).map("\n".join).map(lambda t: t.encode("utf-8", "replace")),
    ".parquet": st.lists(st.tuples(PLAIN | WORDS, PLAIN | WORDS, SIMPLE), min_size=1, max_size=6).map(_parquet),
    ".html": st.lists(HTML).map(lambda parts: f"{PAGE}{''.join(parts)}".encode()),
    ".htm": st.lists(HTML | TEXT | st.just(PAGE)).map("".join).map(lambda t: t.encode("utf-8", "replace")),
    ".pdf": st.just(PDF),
}
assert CONTAINERS.keys() == READERS.keys() and FIELDS.keys() == FORMATS.keys()
COMPRESS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": lambda content: pyarrow.compress(content, codec="zstd", asbytes=True),
}
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.binary(max_size=3)), max_size=3)


def damaged(content: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    """The content with bytes cut out and put in at some places."""
    for place, length, new in damage:
        start = int(place * len(content))
        content = content[:start] + new + content[start + length :]
    return content


def cases(suffix: str) -> st.SearchStrategy[Case]:
    """Files of one container; half of them are damaged, before or after compression."""

    def case(content: bytes, compression: str, before: list, after: list, stem: str) -> Case:
        packed = damaged(COMPRESS[compression](damaged(content, before)), after)
        records = content.count(b"\n") if suffix in (".jsonl", ".ndjson") and not before and not after else None
        return Case(f"{stem}{suffix}{compression}", packed, records)

    none = st.just([])
    damages = st.tuples(none, none) | st.tuples(none, none) | st.tuples(DAMAGE, none) | st.tuples(none, DAMAGE)
    return st.builds(
        lambda content, compression, damage, stem: case(content, compression, *damage, stem),
        CONTAINERS[suffix], st.sampled_from(["", "", "", "", *COMPRESS]), damages, st.sampled_from(["a", "test"]),
    )  # fmt: skip


OTHER_FILES = FileRule("z*", None, None, [])
QA = FileRule("*", "qa", {"question": "prompt", "answer": "text"}, [])
MAPPED = FileRule("*", "qa", {"question": "prompt", "answer": "text", "rating": "label", "group": "topic"}, ["source"])
PARAMS = [
    Ingest("", [], 1.0, Documents(40, True), "pairs", "given"),
    Ingest("", [], 1.0, Documents(1000, False), "rows", "given"),
    Ingest("", [], 1.0, None, "rows", "given"),
    Ingest("", [OTHER_FILES, QA], 1.0, None, "pairs", "given"),
    Ingest("", [OTHER_FILES, MAPPED], 1.0, None, "rows", "given"),
    Ingest("", [OTHER_FILES, FileRule("*", "messages", None, [])], 1.0, None, "pairs", "given"),
]
MAX_STOPS = 9  # at fields that are ignored in the next run


class Outcome(NamedTuple):
    """What `ingest` made of a file."""

    # "rows", "rejected" (no record is usable), "empty" (no records), "unreadable" (a UserError) or "stopped" (at unread
    # fields, again and again)
    name: str
    lost: tuple[fields.Leaf, ...] = ()  # values of records that are in no row, and are not told
    rows: tuple[Row, ...] = ()


def check(folder: Path, case: Case, params: Ingest) -> Outcome:
    """Runs `ingest` on the file and a second file of one row, and asserts that no record is lost.

    Fields at which it stops are ignored in the next run.
    """
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    for old in (folder / "raw").iterdir():
        old.unlink()
    file = folder / "raw" / case.name
    file.write_bytes(case.content)
    (folder / "raw/z.jsonl").write_text('{"text": "A row."}')
    ingested, sources, rejected, report = (folder / name for name in ("ingested", "sources", "rejected", "report"))
    for _ in range(MAX_STOPS):
        try:
            ingest.main(folder / "raw", ingested, sources, rejected, report, params)
            break
        except UserError as error:
            lines = str(error).splitlines()
            if not (stops := [m[1] for line in lines if (m := fields.TOLD.search(line))]):
                assert len(lines) == 1, error
                assert case.records is None, (case, str(error))
                return Outcome("unreadable")
            assert len(stops) == len(lines), error
            rules = params.files or [OTHER_FILES, FileRule("*", None, None, [])]
            rules = [rules[0], msgspec.structs.replace(rules[1], ignore=[*rules[1].ignore, *stops])]
            params = msgspec.structs.replace(params, files=rules)
    else:
        return Outcome("stopped")
    counts = json.loads(report.read_bytes())
    rows = jsonl.read(ingested)
    bad = [json.loads(line) for line in rejected.read_bytes().split(b"\n")[:-1]]
    places = pyarrow.parquet.ParquetFile(sources).read(use_threads=False).to_pylist()
    assert counts["in"] == counts["out"] + sum(counts["dropped"].values())
    assert len(rows) == counts["out"]
    assert len(places) + len(bad) == counts["in"]
    assert len(bad) == sum(n for reason, n in counts["dropped"].items() if reason != "repeated")
    assert [r.id for r in rows] == sorted({r.id for r in rows}) == sorted({p["id"] for p in places})
    assert all(r == make_row(r.content, r.split, r.group) and content_problem(r.content) is None for r in rows)
    assert all(r["reason"] and r["detail"] and r["line"] >= 1 for r in bad)
    records = list(files.read(file, case.name))
    row_lines = [p["line"] for p in places if p["file"] == case.name]
    assert {*row_lines, *(r["line"] for r in bad)} == {r.line for r in records}
    if not any(r.group for r in rows):
        assert counts["in"] == len(records) + 1
    if case.records is not None:
        assert len(records) == case.records
    told = {*counts["unread"].get(case.name, ()), *(params.files[1].ignore if params.files else ())}
    by_id = {row.id: msgspec.to_builtins(row) for row in rows}
    bad_lines = {r["line"] for r in bad}
    lost = [
        leaf
        for record in records
        if record.line not in bad_lines
        for leaf in fields.lost(
            record.value, [by_id[p["id"]] for p in places if (p["file"], p["line"]) == (case.name, record.line)], told
        )
    ]
    return Outcome("rows" if row_lines else "rejected" if records else "empty", tuple(lost), tuple(rows))
