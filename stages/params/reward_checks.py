"""Checks of reward models, which score answers and write none, and of steps that answer. Only preflight imports it."""

from typing import Any, get_args

from stages.params.base_model import Tiny
from stages.params.evaluation import OF_SUITES, AnswerMetric, of_rewards
from stages.params.training import OwnAnswers, Reward

NO_ANSWERS = "want a model that answers: it scores answers"


def problems(chapters: dict[str, Any]) -> list[str]:
    """What is wrong, a line each. Names that do not exist are for cross_checks."""
    train, evaluate, card = chapters.get("train") or {}, chapters.get("evaluate"), chapters.get("card")
    scoring = {name for name, step in train.items() if isinstance(step, Reward)}
    uses = [("evaluate.models", model) for model in (evaluate.models if evaluate else ())]
    uses += [(f"quantize.{name}.from", q.from_) for name, q in (chapters.get("quantize") or {}).items() if q]
    uses += [
        (f"combine.{name}.{field}", model)
        for name, entry in (chapters.get("combine") or {}).items()
        if entry
        for field, model in (("from", entry.from_), *(("adapters", adapter) for adapter in entry.adapters))
    ]
    uses += [(f"adopt.{name}.from", entry.from_) for name, entry in (chapters.get("adopt") or {}).items() if entry]
    uses += [("card.model", card.model)] if card else []
    found = [f"{where} = {model!r}: {NO_ANSWERS}" for where, model in uses if model in scoring]
    for name, step in train.items():
        starts = step.starts() if step else {}
        if starts.get("from") in scoring and name not in scoring:
            found.append(f"train.{name}.from = {step.from_!r}: {NO_ANSWERS}")
        second = starts.get("second_model")
        if second in {"base", *train, *(chapters.get("combine") or {})} and isinstance(step, OwnAnswers) != (
            second in scoring
        ):
            wanted = "want a step with method = reward" if isinstance(step, OwnAnswers) else NO_ANSWERS
            found.append(f"train.{name}.second_model = {step.second_model!r}: {wanted}")
    return found + _rewards(train) + _contexts(chapters.get("base"), train)


def _rewards(train: dict[str, Any]) -> list[str]:
    """Rewards that are none, and fields that one of them needs."""
    names = [*(name for name in get_args(AnswerMetric) if name not in OF_SUITES), "second_model"]
    found = []
    for step, params in train.items():
        if not isinstance(params, OwnAnswers):
            continue
        wrong = [f"rewards.{name}: want one of {', '.join(names)}" for name in params.rewards if name not in names]
        if not params.rewards:
            wrong.append("rewards: is empty: want one of " + ", ".join(names))
        wrong += of_rewards(params).problems()
        found += [f"train.{step}.{problem}" for problem in wrong]
    return found


def _contexts(base: Any, train: dict[str, Any]) -> list[str]:
    """Answers for which a tiny base has no room."""
    if not isinstance(base, Tiny):
        return []
    return [
        f"train.{name}.max_completion_length = {step.max_completion_length}: want room for a prompt in "
        f"base.max_position_embeddings = {base.max_position_embeddings}"
        for name, step in train.items()
        if isinstance(step, OwnAnswers) and step.max_completion_length >= base.max_position_embeddings
    ]
