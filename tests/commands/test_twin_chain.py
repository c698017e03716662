"""The twin runs the real stages on a small random copy, and names the row and the part where the chain breaks."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stages.commands import init, twin_chain
from stages.commands.twin_chain import Twin
from stages.params.base_model import Base
from stages.params.release import Quant
from stages.params.training import Step
from stages.rows.row import Chat, Content, Message, make_row
from stages.twinning.small_step import ROWS
from tests.tiny_models import build_model
from tests.twinning import made_up

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


def found(
    folder: Path, source: Path, rows: dict[str, list[Content]], **steps: dict[str, Any]
) -> tuple[Twin, list[str]]:
    """The twin of these steps of the tiny recipe, with changes, and of a Q8_0 file of the last; and its faults."""
    values = init.values(ROOT / "recipes/tiny.yaml", ROOT / "recipes/default.yaml")
    train = {name: {**values["train"][name], **changes} for name, changes in steps.items()}
    quants = {"Q8_0": {**values["quantize"]["Q8_0"], "from": [*steps][-1]}}
    base = {"kind": "folder", "source": str(source), "chat_template": None}
    twin = Twin.at(folder / "work", made_up.write(folder / "mixed", **rows), 1)
    faults = twin_chain.prove(
        twin, source, msgspec.convert(base, Base), msgspec.convert(train, dict[str, Step]),
        msgspec.convert(quants, dict[str, Quant]),
    )  # fmt: skip
    return twin, [str(fault) for fault in faults]


def test_a_sound_chain_is_proved_from_rows_to_the_served_file(model: Path, tmp_path: Path) -> None:
    twin, faults = found(tmp_path, model, {}, sft={}, dpo={})

    assert faults == []
    assert [counts["rows"] for counts in twin.steps.values()] == [ROWS, ROWS]
    assert twin.notes == []


def test_a_row_that_the_template_breaks_is_named_with_its_step(model: Path, tmp_path: Path) -> None:
    said = Chat([Message("user", "How does it end?"), Message("assistant", "With <|end|>, and more.")])

    _, [fault] = found(tmp_path, model, {"chat": [*made_up.contents("chat", 8), said]}, sft={})

    assert fault.startswith(f"train.sft: render: row {make_row(said).id}: content holds '<|end|>'")


def test_an_adapter_that_is_merged_without_its_scale_is_told(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from peft.tuners.lora.layer import Linear

    own = Linear.get_delta_weight
    monkeypatch.setattr(Linear, "get_delta_weight", lambda self, name: own(self, name) / self.scaling[name])

    _, faults = found(tmp_path, model, {}, dpo={"from": "base"})

    [fault] = faults
    assert fault.startswith("train.dpo: merge: ") and "the merged model's logits differ" in fault


def test_a_stage_that_refuses_the_step_is_told_in_its_own_words(model: Path, tmp_path: Path) -> None:
    _, faults = found(tmp_path, model, {}, sft={"max_length": 3, "over_long": "error"})

    assert len(faults) == 1 and faults[0].startswith("train.sft: rows: train.sft: 16 rows above max_length = 3 tokens")
