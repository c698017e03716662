"""Weighs a fine-tune against what could be had without it: would that have done, what does each cost, from how many
requests on does the fine-tune pay? No model runs here.

Inputs:  evaluations   folder of <model>-<suite>.jsonl and .json, as `evaluate` wrote them of models
         alternatives  folder of <alternative>.jsonl and .json, as `evaluate` wrote them of alternatives
Outputs: weighing      JSON {told, model, suite, rows, metric, better, margin, currency, value, per_1000, once,
                       against: {name: {verdict, why, value, more_rows, tokens, per_1000, once, pays; where an
                       endpoint declined requests: declined; where the metric was measured: gain, low, high, p_done,
                       p_short, level}}}
Params:  weigh.<model>, compare, evaluate

Whether an alternative would have done is a gate (docs/gates.md): it is at most `margin` worse than the fine-tune.
`gain` is what it gains on it, with the gate's interval. Tokens are means of an answered request: [prompt, answer].
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.evaluating import costs, gates, scoring, verdicts
from stages.evaluating.gates import Measured
from stages.params.evaluation import Compare, Evaluate
from stages.params.weighing import Weighing
from stages.reporting import item_files
from stages.rows import accounting

VERDICTS = {
    verdicts.ALLOW: "would have done",
    verdicts.REJECT: "would not have done",
    verdicts.INCONCLUSIVE: "not settled",
}
OF_GATE = {  # {name here: of a gate}
    "gain": "value", "low": "low", "high": "high", "p_done": "p_allow", "p_short": "p_reject", "level": "level",
}  # fmt: skip
PAYS = {
    "always": "always pays",
    "never": "never pays",
    "from": "pays from {:,} requests on",
    "up to": "pays up to {:,} requests",
}


class Counted(NamedTuple):
    tokens: list[int] | None  # of the prompts and answers of all requests that were not declined
    declined: int


def read(paths: dict[str, Path]) -> tuple[Measured, dict[str, Counted]]:
    """The answers of each name, and {name: its tokens}.

    Args:
        paths: {name: path of its files without suffix}

    Raises:
        UserError: they answered different rows.
    """
    models = {name: scoring.read(path.with_suffix(".jsonl")) for name, path in paths.items()}
    scores = {name: msgspec.json.decode(path.with_suffix(".json").read_bytes()) for name, path in paths.items()}
    first, *others = paths
    for name in others:
        if [answer.id for answer in models[name]] != [answer.id for answer in models[first]]:
            raise UserError(f"{paths[name]}.jsonl: other rows than those of {paths[first]}.jsonl; run `dvc repro`")
    counted = {name: Counted(of.get("tokens"), of.get("declined", 0)) for name, of in scores.items()}
    return Measured(models, scores[first]["declared"]), counted


def weigh(
    measured: Measured, counted: dict[str, Counted], weighed: str, params: Weighing, compare: Compare
) -> dict[str, Any]:
    """What is to be said of a fine-tune and each that it is held against."""
    rows = len(measured.models[weighed])
    settings = msgspec.structs.replace(compare, gates=params.gates(weighed), seeds={})  # whose runs have no price
    judged = gates.judge({compare.suite: measured}, settings)
    each, priced = {}, {}
    for name, price in params.prices.items():
        tokens, declined = counted[name]
        priced[name] = costs.cost(tokens, rows - declined, price)
        each[name] = {
            "value": scoring.totals(measured.models[name]).get(params.metric),
            "tokens": None if tokens is None else [round(n / (rows - declined), 3) for n in tokens],
            "once": price.once,
            "per_1000": priced[name].per_1000,
            **({"declined": declined} if declined else {}),
        }
    own = each.pop(weighed)
    for name, gate in judged.items():
        verdict = gate["verdict"] if "value" in gate else verdicts.INCONCLUSIVE  # nothing was measured
        each[name] |= {"verdict": VERDICTS[verdict], "why": gate["why"]}
        each[name] |= {new: gate[old] for new, old in OF_GATE.items() if old in gate}
        each[name] |= {"more_rows": gate.get("more_rows"), "pays": costs.pays(priced[weighed], priced[name])}
    declared = measured.declared[params.metric]
    result = {
        "model": weighed, "suite": compare.suite, "rows": rows, "metric": params.metric, "better": declared["better"],
        "margin": params.margin, "currency": params.currency, **own, "against": each,
    }  # fmt: skip
    return {"told": told(result), **result}


def told(weighed: dict[str, Any]) -> str:
    """In a sentence or two, which of them would have done."""
    model, by = weighed["model"], f"{weighed['margin']:g} in {weighed['metric']}"
    done, short, unsettled = (
        [name for name, found in weighed["against"].items() if found["verdict"] == verdict]
        for verdict in VERDICTS.values()
    )
    said = [f"{_and(done)} would have done in place of {model}: worse by at most {by}"] if done else []
    said += [f"{_and(short)} would not have done in place of {model}: worse by more than {by}"] if short else []
    said += [f"For {_and(unsettled)} {weighed['rows']:,} rows do not settle it"] if unsettled else []
    return ". ".join([*said, *(_pays(weighed, name) for name in (*done, *unsettled, *short))]) + "."


def _pays(weighed: dict[str, Any], name: str) -> str:
    model, currency, other = weighed["model"], weighed["currency"], weighed["against"][name]
    if other["pays"] is None:
        return f"What {name} costs beside {model} is not known: tokens were not counted"
    when, requests = other["pays"]["when"], other["pays"]["requests"]
    each = f"1,000 requests cost {other['per_1000']:g} {currency} with {name} and {weighed['per_1000']:g} with {model}"
    paid = f"{each}, which {PAYS[when].format(requests)}"
    if declined := other.get("declined"):
        paid += f". {name} declined {declined:,} of {weighed['rows']:,} requests: costs are of the others"
    return paid


def _and(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def main(
    evaluations: In, alternatives: In, weighing: Out, weighed: str, suite: str, params: Weighing, compare: Compare,
    evaluate: Evaluate,
) -> str:  # fmt: skip
    others = [name for name in params.prices if name not in evaluate.models]
    item_files.check(alternatives, others)
    paths = {name: alternatives / name if name in others else evaluations / f"{name}-{suite}" for name in params.prices}
    result = weigh(*read(paths), weighed, params, compare)
    accounting.write_json(weighing, result)
    return result["told"]


if __name__ == "__main__":
    harness.run(main)
