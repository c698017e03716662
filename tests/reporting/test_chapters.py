"""Values of the templates."""

from stages.reporting import chapters
from tests.made_up_build import answer


def test_answers_of_a_quantized_file_are_compared_with_its_models_one_by_one() -> None:
    model = [answer("a", "x", True), answer("b", "x", True), answer("c", "x", False), answer("d", "x", False)]
    file = [answer("a", "x", True), answer("b", "y", False), answer("c", "y", True), answer("d", "z", False)]

    assert chapters.compare_answers(file, model, "exact_match") == {"same": 1, "worse": 1, "better": 1}
