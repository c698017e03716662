"""The command: what decides that it runs again, and what it says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelmake import params
from stages import preflight
from stages.commands import twin
from stages.rows.row import Chat, Message
from stages.twinning.small_step import ROWS
from tests.conftest import ROOT, clone
from tests.twinning import made_up

FILES = ("chat", "pair")


@pytest.fixture
def proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The hash of what is proved: of the default recipe with changes of its steps, and of rows."""
    monkeypatch.chdir(ROOT)
    own, _ = preflight.decode(params.load(ROOT / "recipes/default.yaml"))

    def of(rows: list[Any] | None = None, **changes: Any) -> str:
        mixed = made_up.write(tmp_path / "mixed", chat=rows or made_up.contents("chat", 40))
        made_up.write(tmp_path / "base", text=made_up.contents("text", 3))
        base = msgspec.structs.replace(own["base"], source=str(tmp_path / "base/text.jsonl"))
        steps = {name: msgspec.structs.replace(step, **changes) for name, step in own["train"].items()}
        return twin.proved({**own, "base": base, "train": steps}, [mixed / f"{kind}.jsonl" for kind in FILES])

    return of


def test_a_learning_rate_and_a_row_that_is_not_read_do_not_make_it_run_again(proved: Callable[..., str]) -> None:
    before, rows = proved(), made_up.contents("chat", 40)
    last = max(rows, key=lambda row: made_up.make_row(row).id)

    assert len(rows) > 2 * ROWS
    assert proved(learning_rate=0.5, num_train_epochs=9.0, seed=7) != before  # the seed decides
    assert proved(learning_rate=0.5, num_train_epochs=9.0) == before
    assert proved([row for row in rows if row is not last]) == before


def test_a_step_and_a_row_that_is_read_make_it_run_again(proved: Callable[..., str]) -> None:
    before = proved()
    masked = Chat([*made_up.turns(0), Message("assistant", "no", train=False), *made_up.turns(1)[-1:],
                   Message("assistant", "yes")])  # fmt: skip

    assert proved(max_length=100) != before
    assert proved([*made_up.contents("chat", 40), masked]) != before


@pytest.mark.slow
def test_it_says_what_holds_once_and_then_that_nothing_changed(tmp_path: Path) -> None:
    project = clone(tmp_path / "project")
    command = ("python", "-m", "stages.commands.cli", "twin")

    code, output = project.run(*command)
    assert (code, output) == (
        1,
        "data/mixed/chat.jsonl: not there yet: want the rows of training; run `dvc repro mix`\n",
    )

    made_up.write(project.path / "data/mixed")
    code, output = project.run(*command)
    assert code == 0, output
    assert f"twin: holds: sft on {ROWS} rows, dpo on {ROWS} rows\n" in output

    project.edit("params.yaml", "learning_rate: 0.003", "learning_rate: 0.002")
    code, output = project.run(*command)
    assert (code, output) == (
        0, f"twin: nothing changed since it passed: holds: sft on {ROWS} rows, dpo on {ROWS} rows\n"
    )  # fmt: skip

    made_up.write(project.path / "data/mixed", chat=[Chat([Message("user", "a"), Message("assistant", "b <|end|> c")])])
    code, output = project.run(*command)
    assert code == 1
    assert "twin: train.sft: render: row " in output
