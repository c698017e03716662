"""What makes a look at a suite another one: other answers or marks, not the order of models."""

from stages import compare
from stages.evaluating import metrics, scoring
from stages.evaluating.gates import Measured

DECLARED = {"exact_match": metrics.Metric("higher", 0, 1, "")._asdict()}


def test_the_order_of_models_is_no_other_look() -> None:
    first, second = ([scoring.Answer("1", "p", "e", words, {})] for words in "ab")

    assert compare.seen(Measured({"a": first, "b": second}, DECLARED)) == compare.seen(
        Measured({"b": second, "a": first}, DECLARED)
    )


def test_other_marks_of_the_same_answers_are_another_look() -> None:
    def seen(**judged: tuple[float, ...]) -> str:
        scores = {"exact_match": (1.0, 1.0)} | {name.replace("_of_", "."): numbers for name, numbers in judged.items()}
        answer = scoring.Answer("1", "p", "e", "a", scores)
        return compare.seen(Measured({"sft": [answer]}, DECLARED))["answers"]

    first = {"judged_of_polite": (1.0, 1.0), "judged_corrected_of_polite": (1.0, 1.0, 0.0, 1.0, 1.0)}
    looks = [
        seen(), seen(**first), seen(**first | {"judged_of_polite": (0.0, 1.0)}),
        seen(**first | {"judged_corrected_of_polite": (1.0, 1.0, -1.0, 1.0, 1.0)}),
    ]  # fmt: skip
    assert len(set(looks)) == 4
    assert seen(**first) == looks[1]
    assert looks[0] == "79f5946744f3ce4a839404ca", "looks of suites without a judge, in git, count on"
