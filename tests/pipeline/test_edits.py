"""Edit one thing and `dvc repro`: exactly the stale stages rerun.

`must` is what has to rerun and why is said beside it; `may` is what reruns only if the bytes before it changed.
Whatever else ran is a needless stage. preflight runs at every edit of params, code or locks.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

import pytest

from stages import rows
from tests.conftest import Project, ran

DATA = {"ingest", "clean", "dedup", "split"}
END = {"compare", "card", "report"}
OF_DPO = {"merge@dpo", "evaluate@dpo-chat", "quantize@Q8_0", "parity@Q8_0", *END}
OF_SFT = {"merge@sft", "evaluate@sft-chat", "train@dpo", *OF_DPO}


class Edit(NamedTuple):
    change: Callable[[Project], None]
    must: set[str]
    may: frozenset[str] | set[str] = frozenset()


def params(old: str, new: str) -> Callable[[Project], None]:
    return lambda project: project.edit("params.yaml", old, new)


def code(path: str, old: str, new: str) -> Callable[[Project], None]:
    return lambda project: project.edit(path, old, new)


def training_row() -> str:
    """A ShareGPT line whose row falls into train."""
    for number in range(100):
        asked, answer = (
            f"Parcel {number} of the blue juicer never came, where is it now?",
            '{"intent": "delivery_status"}',
        )
        row = rows.row(rows.Chat([rows.Message("user", asked), rows.Message("assistant", answer)]))
        if int(row.id[:16], 16) / 16**16 > 0.2:
            return json.dumps({"conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": answer}]})
    raise AssertionError("none of 100 rows falls into train")


def add_row(project: Project) -> None:
    project.write("data/raw/chats.jsonl", project.read("data/raw/chats.jsonl") + training_row() + "\n")


def duplicate_row(project: Project) -> None:
    lines = project.read("data/raw/messages.jsonl").splitlines()
    project.write("data/raw/messages.jsonl", "\n".join([*lines, lines[3]]) + "\n")


def reverse_rows(project: Project) -> None:
    lines = project.read("data/raw/messages.jsonl").splitlines()
    project.write("data/raw/messages.jsonl", "\n".join(reversed(lines)) + "\n")


def reorder_params(project: Project) -> None:
    text = project.read("params.yaml")
    first, second = text.index("clean:\n"), text.index("dedup:\n")
    project.write("params.yaml", text[:first] + text[second:] + "\n" + text[first:second])


def one_quant_more(project: Project) -> None:
    for section in ("tool: gguf", "runtime: llama_cpp"):
        line = next(
            line for line in project.read("params.yaml").splitlines() if line.startswith(f"  Q8_0: {{{section}")
        )
        project.edit("params.yaml", line, f"{line}\n{line.replace('Q8_0', 'F16')}")


def upgrade(package: str) -> Callable[[Project], None]:
    def change(project: Project) -> None:
        text = project.read("uv.lock")
        start = text.index(f'name = "{package}"\nversion = "') + len(f'name = "{package}"\nversion = "')
        project.write("uv.lock", text[:start] + "9" + text[start:])

    return change


EDITS = {
    "a comment in a stage": Edit(code("stages/clean.py", "PII = {", "# a remark\nPII = {"), set()),
    "the docstring of a module that all reach": Edit(
        code("stages/rows.py", '"""The canonical', '"""A canonical'), set(),
    ),
    "a comment in params.yaml": Edit(params("train:\n", "train: # steps\n"), set()),
    "the order of sections": Edit(reorder_params, set()),
    "the spelling of a number": Edit(params("learning_rate: 0.004", "learning_rate: 4e-3"), set()),
    # the side table of sources changes and the page shows the hash of raw files; the rows do not change
    "the order of rows": Edit(reverse_rows, {"ingest", "report"}),
    "a duplicate of a raw row": Edit(duplicate_row, {"ingest", "card", "report"}),  # they show that it was dropped
    "a raw row": Edit(add_row, {*DATA, "calibrate", "train@sft", "plots", "card", "report"}, OF_SFT),
    "a gate's bound": Edit(params("against: null, min: 0.8", "against: null, min: 0.7"), {*END}),
    "a bound of parity": Edit(
        params("max_difference: 0.01", "max_difference: 0.02"), {"parity@Q8_0"}, {"card", "report"},
    ),
    "a learning rate of dpo": Edit(
        params("learning_rate: 0.003", "learning_rate: 0.03"), {"train@dpo", "plots", "card", "report"}, OF_DPO,
    ),
    "a quant more": Edit(
        one_quant_more,
        {"calibrate", "quantize@F16", "parity@F16", "plots", "card", "report"},
    ),
    "a helper two imports away": Edit(
        code("stages/near.py", "text.lower().split()", "text.casefold().split()"),
        {"dedup", "split"},
    ),
    "a metric": Edit(
        code("stages/metrics/compact.py", "separators=", "sort_keys=False, separators="),
        {"evaluate@base-chat", "evaluate@sft-chat", "evaluate@dpo-chat", "parity@Q8_0"},
    ),
    "a method that one step uses": Edit(
        code("stages/methods/dpo.py", "return max(", "return 0 + max("), {"train@dpo"},
    ),
    "the version of a package": Edit(upgrade("datasketch"), {"dedup", "split"}),
    "a template": Edit(code("stages/templates/card.md", "## Limits", "## What it is not for"), {"card"}),
    "a colour of the page": Edit(code("stages/templates/report/page.css", "#ffffff", "#fffffe"), {"report"}),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_reruns_what_it_reaches_and_nothing_else(project: Project, name: str) -> None:
    edit = EDITS[name]
    edit.change(project)

    found = set(ran(project.repro())) - {"preflight"}

    assert found >= edit.must, f"missed: {sorted(edit.must - found)}"
    assert found <= edit.must | edit.may, f"needless: {sorted(found - edit.must - edit.may)}"


def test_nothing_edited_reruns_nothing(project: Project) -> None:
    output = project.repro()

    assert ran(output) == []
    assert "Data and pipelines are up to date." in output


def test_an_item_that_left_something_behind_is_named(project: Project) -> None:
    project.edit("params.yaml", "  Q8_0: {", "  F16: {")

    code, output = project.run("dvc", "repro")

    assert code != 0
    assert (
        "reports/parity: Q8_0.json, Q8_0.jsonl: left by items that params.yaml no longer declares: want only F16; "
        "`rm reports/parity/Q8_0.json reports/parity/Q8_0.jsonl`"
    ) in output
