"""The page and the card say what the build's files say, and ask nothing of the network."""

import re

from stages import report
from stages.scoring import Answer


def test_a_curve_is_scaled_to_its_last_step_and_its_highest_loss() -> None:
    history = [{"step": 5, "loss": 4.0}, {"step": 10, "loss": 1.0}, {"step": 10, "eval_loss": 2.0}]

    assert report.polyline(history, "loss", 300, 100) == "150.0,0.0 300.0,75.0"
    assert report.polyline(history, "eval_loss", 300, 100) == "300.0,50.0"
    assert report.polyline(history, "absent", 300, 100) == ""


def test_questions_that_the_last_model_got_wrong_come_first() -> None:
    def answer(row: str, right: float) -> Answer:
        return Answer(row, f"question {row}", "x", "y", {"exact_match": (right, 1.0)})

    shown = report.side_by_side({"sft": [answer("a", 1), answer("b", 0)], "dpo": [answer("a", 1), answer("b", 0)]}, 1)

    assert [row["prompt"] for row in shown] == ["question b"]
    assert shown[0]["answers"] == {"sft": ("y", False), "dpo": ("y", False)}


def test_the_page_escapes_what_rows_say(built) -> None:
    page = built.read("reports/index.html")

    assert "<|end|>" not in page
    assert not re.search(r"(src|href)=\"(?!data:,)", page), "nothing is fetched"


def test_the_page_and_the_card_give_the_verdict_of_the_gates(built) -> None:
    verdict = built.json("reports/gate.json")["verdict"]

    assert f'<strong class="{verdict}">{verdict}</strong>' in built.read("reports/index.html")
    assert f"Verdict of the gates: **{verdict}**." in built.read("reports/card.md")


def test_the_card_names_every_step_to_the_model(built) -> None:
    card = built.read("reports/card.md")

    assert re.search(r"^\| sft \| sft \| base \|", card, re.MULTILINE)
    assert re.search(r"^\| dpo \| dpo \| sft \|", card, re.MULTILINE)
    assert card.startswith("---\nlicense: apache-2.0\n")
