"""Whether judged answers stay rows of their own, which KTO trains on, or become chats and pairs."""

from collections import defaultdict
from typing import Any, NamedTuple

from stages.proposing.survey import Survey
from stages.reading import ratings
from stages.rows.row import Content, Judged, make_row

LEAST = 10  # good answers, and bad ones, that KTO is worth it for


class Plan(NamedTuple):
    """`ingest.judged`, the rows that follow from it, and the weights of KTO."""

    judged: str
    reason: str  # "": there are no judged answers
    survey: Survey
    weights: dict[str, Any]


def plan(survey: Survey) -> Plan:
    """Judged answers stay if there are good and bad ones, and others to compare models by."""
    answers = [row.content for row, _ in survey.rows.values() if isinstance(row.content, Judged)]
    if not answers:
        return Plan("pairs", "", survey, {})
    good = sum(answer.good for answer in answers)
    bad, said = len(answers) - good, f"{good} good answers and {len(answers) - good} bad ones"
    if len(answers) < len(survey.rows) and min(good, bad) >= LEAST:
        # Ethayarajh et al. 2024, arXiv:2402.01306: the weights balance what there is of both.
        weights = {"desirable_weight": max(1.0, round(bad / good, 2)),
                   "undesirable_weight": max(1.0, round(good / bad, 2))}  # fmt: skip
        return Plan("rows", f"{said}: kto trains on them", survey, weights)
    why = "none else to compare models by" if len(answers) == len(survey.rows) else "too few of one for kto"
    paired, alone = _paired(survey)
    dropped = f"; {alone} bad ones have no good answer to their prompt, and are dropped" if alone else ""
    return Plan("pairs", f"{said}, {why}: good ones become chats, bad ones pairs with them{dropped}", paired, {})


def _paired(survey: Survey) -> tuple[Survey, int]:
    """(the survey with the chats and pairs that `ingest` makes of judged answers, number of bad ones left out)."""
    rows = {id: found for id, found in survey.rows.items() if not isinstance(found[0].content, Judged)}
    prompts: dict[str, list[tuple[Any, str]]] = defaultdict(list)
    alone = 0
    for row, name in survey.rows.values():
        if isinstance(row.content, Judged):
            prompts[ratings.prompt_key(row.content, row.split)].append((row, name))
    for found in prompts.values():
        good = [row.content for row, _ in found if row.content.good]
        for row, name in found:
            content: Content | None = ratings.as_chat(row.content)
            if not row.content.good:
                content = ratings.as_pair(row.content, good)
            alone += content is None
            if content is not None:
                made = make_row(content, row.split, row.group, row.time)
                rows[made.id] = (made, name)
    return survey._replace(rows=rows), alone
