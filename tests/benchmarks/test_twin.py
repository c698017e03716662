"""The faults that benchmarks/twin.py plants are told by name, and their parts are those of the twin."""

from pathlib import Path

from benchmarks import twin
from benchmarks.twin_cases import sound
from stages.twinning.fault import PARTS


def test_every_case_has_a_name_of_its_own_and_a_part_that_the_twin_names() -> None:
    cases = twin.cases()

    assert len({case.name for case in cases}) == len(cases)
    assert {case.part for case in cases} - {""} <= PARTS.keys()
    assert sum(bool(case.part) for case in cases) >= 30
    assert len(sound.CASES) >= 10
    assert {case.recipe for case in sound.RECIPES} == {file.stem for file in Path(twin.ROOT / "recipes").glob("*.yaml")}


def test_a_step_of_a_case_is_one_of_the_default_recipe_with_changes() -> None:
    default = {
        "dpo": {"method": "dpo", "weights": {"kind": "lora", "r": 32}, "loss_type": [], "loss_weights": [], "x": 1}
    }

    assert twin.step("kto", {"x": 2, "weights": {"kind": "lora", "r": 8, "use_dora": True}}, default) == {
        "method": "kto", "rows": "judged", "from": "base", "desirable_weight": 1.0, "undesirable_weight": 1.0,
        "max_length": 256, "x": 2, "weights": {"kind": "lora", "r": 8, "use_dora": True},
    }  # fmt: skip
    assert twin.step("dpo", {"weights": {"kind": "all"}}, default)["weights"] == {"kind": "all"}
