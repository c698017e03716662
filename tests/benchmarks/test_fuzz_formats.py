"""Fuzzing of readers: ingest loses no record of any file, and the benchmark counts all its cases."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.reading.containers import READERS
from stages.rows.row import Chat, Content, Message
from stages.training.row_renderer import RowRenderer
from tests import fuzzing_fields
from tests.conftest import ROOT
from tests.fuzzing import PARAMS, Case, cases, check
from tests.fuzzing_rows import CONTENT, RENDERERS, TEMPLATES, Tokenizer, texts_of
from tests.tiny_models import TEMPLATE


@pytest.mark.parametrize("suffix", READERS)
def test_no_record_of_any_file_is_lost(tmp_path_factory: pytest.TempPathFactory, suffix: str) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    outcomes = set()

    @settings(max_examples=60)
    @given(cases(suffix), st.sampled_from(PARAMS))
    def fuzz(case: Case, params: object) -> None:
        outcome = check(folder, case, params)
        outcomes.add(outcome.name)
        assert not outcome.lost

    fuzz()
    assert "rows" in outcomes


def test_the_benchmark_counts_cases_by_reader_and_outcome() -> None:
    command = [sys.executable, "benchmarks/fuzz_formats.py", "--cases", "55", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    result = json.loads(done.stdout)
    assert list(result["readers"]) == list(READERS)
    assert result["cases"] == 55 == sum(n for outcomes in result["readers"].values() for n in outcomes.values())
    assert [result[name] for name in ("tracebacks", "lost", "fields_lost", "texts_lost")] == [0, 0, 0, 0]
    assert result["rendered"] > result["refused"] > 0  # some templates know no tools


TURNS = [{"role": "user", "content": "uqz"}, {"role": "assistant", "content": "aqz", "weight": 0, "thinking": "tqz"}]
MESSAGES = [{"role": "user", "content": "uqz"}, {"role": "assistant", "content": "aqz", "reasoning_content": "tqz"}]


@pytest.mark.parametrize(
    ("record", "row", "told", "paths"),
    [
        ({"messages": TURNS}, {"messages": MESSAGES}, set(), ["messages.*.weight"]),
        ({"messages": TURNS}, {"messages": [MESSAGES[0], {**MESSAGES[1], "train": False}]}, set(), []),
        ({"messages": TURNS}, {"messages": MESSAGES[:1]}, set(),
         ["messages.*.role", "messages.*.content", "messages.*.weight", "messages.*.thinking"]),
        ({"messages": TURNS[:1], "topic": "x", "id": 7, "tools": []}, {"messages": MESSAGES[:1]}, set(), ["topic"]),
        ({"messages": TURNS[:1], "topic": {"x": 1}}, {"messages": MESSAGES[:1]}, {"topic"}, []),
        ({"messages": str(TURNS[:1])}, {"messages": MESSAGES[1:]}, set(), ["messages.*.role", "messages.*.content"]),
        ({"messages": TURNS[:1], "label": False}, {"messages": MESSAGES[:1]}, set(), ["label"]),
    ],
)  # fmt: skip
def test_a_value_that_is_in_no_row_and_is_not_told_is_found(record: dict, row: dict, told: set, paths: list) -> None:
    lost = fuzzing_fields.lost(record, [{"id": "", "content": {"kind": "chat", **row}}], told)

    assert [leaf.path for leaf in lost] == paths


def test_a_text_that_a_template_leaves_out_in_silence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    thinking = Message("assistant", "aqz", reasoning_content="tqz")
    silent = RowRenderer(Tokenizer(TEMPLATE), "assistant", ["<|end|>"], ["reasoning_content"])
    chat = Chat([Message("user", "uqz"), thinking])

    assert texts_of([chat], "tiny") == (1, 0, ())
    monkeypatch.setitem(RENDERERS, ("tiny", "assistant"), silent)
    assert texts_of([chat], "tiny") == (1, 0, ("tqz", "tqz"))


@settings(max_examples=200, deadline=None)
@given(CONTENT, st.sampled_from(TEMPLATES))
def test_no_text_of_a_row_is_lost_in_a_template_that_ships_here(content: Content, template: str) -> None:
    assert texts_of([content], template).lost == ()
