"""Lines and drawings of an answer."""

import re

from tests.made_up_history import MadeUpProject


def test_a_dropped_row_has_a_line_with_stage_reason_and_commits(project: MadeUpProject) -> None:
    code, output = project.trace("--row", "c")

    assert code == 0
    assert "  c  data/raw/mail.jsonl:3  [" in output
    assert re.search(r"^  c by clean: refusal, detail i cannot  \[\w{10} Second and 1 before\]$", output, re.MULTILINE)
    assert "no model of any build is known to have consumed it" in output


def test_a_fact_of_the_working_tree_alone_says_so(project: MadeUpProject) -> None:
    project.stages["train@sft"]["params"]["params.yaml"]["train.sft"]["learning_rate"] = 0.5
    project.write()
    project.git("update-ref", "-d", "HEAD")

    code, output = project.trace("--row", "c")

    assert code == 0
    assert "  c  data/raw/mail.jsonl:3  [the working tree, not committed]" in output


def test_consumed_rows_beyond_the_first_are_counted_or_listed(project: MadeUpProject) -> None:
    first = project.trace("models/sft")[1].splitlines()
    every = project.trace("models/sft", "--rows")[1].splitlines()

    assert "consumed by train@sft: 3 rows in 2 steps, 3 times (reports/train/sft.consumed.jsonl)" in first
    assert "  step 2  a2  data/raw/mail.jsonl:1" in first
    assert first == every  # three rows are fewer than the ten that are shown


def test_a_drawing_of_a_model_has_every_stage_and_its_inputs(project: MadeUpProject) -> None:
    code, output = project.trace("models/sft", "--graph")

    assert code == 0
    lines = output.splitlines()
    assert lines[0] == "flowchart TD"
    assert '  s5["merge@sft"]' in lines
    assert '  d0[("data/raw")] --> s0' in lines
    assert '  s4 -->|"models/trained/sft"| s5' in lines
    assert '  s4 -.- c0[/"3 rows consumed in 2 steps"/]' in lines
    assert lines[-1] == '  s5 --> model(["models/sft"])'


def test_a_drawing_of_a_row_has_its_places_drops_and_models(project: MadeUpProject) -> None:
    code, output = project.trace("--row", "d", "--graph")

    assert code == 0
    assert re.search(r'^  n\d\[\("data/raw/mail.jsonl:4"\)\] --> r0$', output, re.MULTILINE)
    assert re.search(r'^  r1 ==>\|consumed\| n\d\(\["models/trained/sft, models/sft', output, re.MULTILINE)
    assert re.search(r'^  r0 --x n\d\{\{"dedup: near_duplicate, similarity 0.85, for b"\}\}$', output, re.MULTILINE)
