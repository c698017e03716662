"""Rewritten YAML text holds the wanted values, and keeps the lines whose values stay."""

from typing import Any

import pytest
from ruamel.yaml import YAML

from stages.commands import yaml_text

TEXT = """\
# the head
machine:
  device: cpu # or cuda
  threads: 1

# about steps
train: # steps
  one:
    rate: 1.0e-4 # slow
    names: ["*"]

  two: {rate: 1, note: 'a, b', tags: [x]} # fast
report:
  title: A # shown
  schema:
    type: object
"""


def load(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def rewritten(text: str, source: str, **changes: Any) -> str:
    """`text` with some sections replaced; it says what was wanted."""
    wanted = {**load(text), **changes}
    found = yaml_text.rewrite(text, wanted, source)
    assert yaml_text.same(load(found), wanted)
    return found


def test_without_a_change_no_byte_changes() -> None:
    assert rewritten(TEXT, "train: {}") == TEXT


def test_a_changed_value_changes_its_line_alone() -> None:
    found = rewritten(TEXT, "machine:\n    threads: 2\n", machine={"device": "cpu", "threads": 2})

    assert found == TEXT.replace("threads: 1", "threads: 2")


def test_a_value_is_written_as_the_source_writes_it_with_its_comment() -> None:
    train = {"one": {"rate": 0.0002, "names": ["*"]}, "two": load(TEXT)["train"]["two"]}

    found = rewritten(TEXT, "train:\n  one:\n    rate: 2.0e-4 # faster\n", train=train)

    assert found == TEXT.replace("1.0e-4 # slow", "2.0e-4 # faster")


def test_a_changed_value_loses_the_comment_that_was_on_it() -> None:
    found = rewritten(TEXT, "machine: {device: cuda}", machine={"device": "cuda", "threads": 1})

    assert found == TEXT.replace("cpu # or cuda", "cuda")


def test_a_value_within_braces_changes_alone_and_the_comment_stays() -> None:
    train = load(TEXT)["train"]
    train["two"]["rate"] = 3

    found = rewritten(TEXT, "train:\n  two: {rate: 3}\n", train=train)

    assert found == TEXT.replace("{rate: 1,", "{rate: 3,")


def test_the_sources_comment_replaces_that_of_a_section() -> None:
    train = load(TEXT)["train"]
    train["two"]["rate"] = 3

    found = rewritten(TEXT, "train: # all of them\n  two: {rate: 3} # faster\n", train=train)

    assert found == TEXT.replace("# steps", "# all of them").replace("{rate: 1,", "{rate: 3,").replace("fast", "faster")


def test_an_item_that_goes_takes_its_lines_and_what_stands_above_it() -> None:
    train = {"one": load(TEXT)["train"]["one"]}

    assert rewritten(TEXT, "train: {}", train=train) == TEXT.replace(
        "\n  two: {rate: 1, note: 'a, b', tags: [x]} # fast\n", ""
    )


def test_items_stand_in_the_wanted_order_with_what_is_above_them() -> None:
    train = {"zero": {"rate": 0}, "one": load(TEXT)["train"]["one"]}

    found = rewritten(TEXT, "train:\n    zero: # new\n        rate: 0\n    one: {}\n", train=train)

    assert "train: # steps\n  zero: # new\n      rate: 0\n  one:\n    rate: 1.0e-4 # slow\n" in found


def test_a_block_of_text_is_taken_as_it_is() -> None:
    source = "report:\n   title: |- # two lines\n     # A\n\n       B\n   schema: {type: list}\n"
    found = rewritten(TEXT, source, report={"title": "# A\n\n  B", "schema": {"type": "list"}})

    assert found.endswith("report:\n  title: |- # two lines\n    # A\n\n      B\n  schema:\n    type: list\n")


@pytest.mark.parametrize(
    ("title", "written"),
    [(1, "1"), (1.0, "1.0"), (True, "true"), (None, "null"), ("1", "'1'"), ([], "[]"), ({}, "{}"), ("a: b", "'a: b'")],
)
def test_values_keep_their_type(title: Any, written: str) -> None:
    found = rewritten(TEXT, "x: 1", report={"title": title, "schema": {"type": "object"}})

    assert f"  title: {written}\n" in found


SHARED = "a:\n  near: &near {x: 1, y: 2}\nb:\n  z: 3\n  near: *near # the same\n"


def test_an_alias_stays_where_both_change_alike() -> None:
    both = {"x": 5, "y": 2}

    found = rewritten(SHARED, "a: {near: &n {x: 5}}\nb: {near: *n}", a={"near": both}, b={"z": 3, "near": both})

    assert found == SHARED.replace("x: 1", "x: 5")


def test_an_alias_is_written_out_where_only_its_anchor_changes() -> None:
    found = rewritten(SHARED, "a: {near: {x: 5}}", a={"near": {"x": 5, "y": 2}})

    assert found == SHARED.replace("x: 1", "x: 5").replace("*near # the same", "{x: 1, y: 2}")


def test_an_alias_is_written_out_where_it_alone_changes() -> None:
    found = rewritten(SHARED, "b:\n  near: {x: 5}", b={"z": 3, "near": {"x": 5, "y": 2}})

    assert found == SHARED.replace("*near # the same", "{x: 5, y: 2}")


def test_an_alias_of_the_source_does_not_dangle() -> None:
    source = "other: &o [1, 2]\nreport:\n  title: *o\n"

    found = rewritten(TEXT, source, report={"title": [1, 2], "schema": {"type": "object"}})

    assert found == TEXT.replace("A # shown", "[1, 2]")


def test_text_that_cannot_be_kept_becomes_plain_yaml_with_the_right_values() -> None:
    text = "a: |+\n  x\n\nb: 1\nc: 2\n"  # the blank line is the value's

    assert yaml_text.rewrite(text, {"a": "x\n\n", "c": 2}, "c: 2") == 'a: "x\\n\\n"\nc: 2\n'
