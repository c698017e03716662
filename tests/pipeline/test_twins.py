"""The twin of every recipe: its own steps, files and chat template, on its base's architecture and tokenizer."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stages.commands import init, twin_chain
from stages.commands.twin_chain import Twin
from stages.params.base_model import Base
from stages.params.release import Quant
from stages.params.training import Step
from tests.conftest import ROOT
from tests.pipeline import architectures
from tests.twinning import made_up

pytestmark = pytest.mark.slow
RECIPES = [path.stem for path in sorted((ROOT / "recipes").glob("*.yaml"))]
DISTILL, ORPO = (
    f"the loss of its first step, of which {method} logs nothing that follows from rows"
    for method in ("distill", "orpo")
)
NOT_PROVED = {  # {recipe: what the twin says that it leaves out}
    "llama3_2_1b_distilled": [DISTILL],
    "side_by_side": [ORPO],
    "smollm2_135m_orpo": [ORPO],
    "student": [DISTILL],
}


def source(recipe: str, base: dict[str, Any], folder: Path) -> tuple[Path, dict[str, Any]]:
    """What stands for the recipe's base, and the section of it."""
    if base["kind"] == "tiny":
        return folder / "mixed" / Path(base["source"]).name, base
    corpus = [turn.content for content in made_up.contents("chat", 24) for turn in content.messages]
    architectures.write(architectures.ARCHITECTURES[recipe], folder / "base", corpus)
    template = base["chat_template"]
    return folder / "base", {"kind": "folder", "source": str(folder / "base"), "chat_template": template}


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_twin_of_a_recipe_holds(tmp_path: Path, recipe: str) -> None:
    values = init.values(ROOT / f"recipes/{recipe}.yaml", ROOT / "recipes/default.yaml")
    twin = Twin.at(tmp_path / "work", made_up.write(tmp_path / "mixed"), 1)
    folder, base = source(recipe, values["base"], tmp_path)

    faults = twin_chain.prove(
        twin, folder, msgspec.convert(base, Base), msgspec.convert(values["train"], dict[str, Step]),
        msgspec.convert(values["quantize"], dict[str, Quant]),
    )  # fmt: skip

    assert [str(fault) for fault in faults] == []
    assert sorted(twin.steps) == sorted(values["train"])
    not_run = [note for note in twin.notes if not note.endswith("is not run")]
    assert [note.partition(": ")[2] for note in not_run] == NOT_PROVED.get(recipe, [])
