"""White space: what is taken off prose, and what stays because it may be content."""

import gzip
import json
import time

import pytest

from stages.cleaning import repair
from tests.conftest import ROOT

HUMANEVAL = ROOT.parent / "shared/data/humaneval/HumanEval.jsonl.gz"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Hello. \n", "Hello."),
        (" Hello.", "Hello."),
        ("\n\nOne.\n\nTwo.\n", "One.\n\nTwo."),
        ("\u00a0One\u3000", "One"),
        ("See:\n```py\nif x:\n    y()\n```\n", "See:\n```py\nif x:\n    y()\n```"),
        ("\n~~~~\n\ta\n~~~\n~~~~~  \nDone.\n", "~~~~\n\ta\n~~~\n~~~~~  \nDone."),
        ("Run ```make``` now. ", "Run ```make``` now."),
        (" \t\n ", ""),
    ],
)
def test_prose_loses_the_white_space_at_its_ends(before: str, after: str) -> None:
    assert repair.strip(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "    return x\n",
        "  end\n",
        "\treturn x",
        "\n    for x in y:\n        print(x)\n    return y\n",
        "def f(x):\n    return x\n",
        "name\tcity\t\n",
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n one\n-two\n+three\n",
        '{\n  "a": 1\n}\n',
        "```py\nx = 1\n\n",
        "- one\n  - two\n",
        "~~~\n```\nx\n```\n ",
        "  ```py\n  x\n  ```\n",
    ],
)
def test_white_space_stays_where_it_may_be_content(text: str) -> None:
    assert repair.strip(text) == text


@pytest.mark.skipif(not HUMANEVAL.is_file(), reason="no real data in ../shared/data")
def test_every_prompt_and_solution_of_humaneval_stays_as_it_is() -> None:
    with gzip.open(HUMANEVAL, "rt", encoding="utf-8") as file:
        texts = [record[name] for record in map(json.loads, file) for name in ("prompt", "canonical_solution")]

    assert len(texts) == 328
    assert [text for text in texts if repair.strip(repair.drop_control(text)) != text] == []


def test_fenced_code_keeps_its_control_characters() -> None:
    code = "```\n\x1b[31mred\x1b[0m\x0c\n10%\r20%\n```"

    assert repair.drop_control(f"a\x07b\rc\r\n{code}\nd\x07") == f"ab\nc\n{code}\nd"


@pytest.mark.parametrize(
    ("text", "in_code", "is_open"),
    [
        ("a\n```\nb\n```\nc", "..x..", False),
        ("```\nb\n~~~\nc", ".xxx", True),
        ("````\nb\n```\n`````\nc", ".xx..", False),
        ("``` a`b\nc", "..", False),  # a fence of backticks has none after it
        ("    ```\nc", "..", False),  # indented by four: no fence
        ("```\nb\n``` c\n", ".xxx", True),  # nothing but spaces may follow a closing fence
    ],
)
def test_fenced_code_is_that_of_commonmark(text: str, in_code: str, is_open: bool) -> None:
    assert repair.fenced_code(text.split("\n")) == ([mark == "x" for mark in in_code], is_open)


@pytest.mark.parametrize(
    "text", ["```\n" * 50_000 + " ", " " * 200_000 + "x ", "\n" * 200_000 + "x\n", "\r\n \0" * 50_000]
)
def test_time_is_linear(text: str) -> None:
    started_s = time.process_time()
    repair.strip(repair.drop_control(text))

    assert time.process_time() - started_s < 2
