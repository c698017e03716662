"""How often gates err: at least 10,000 simulated releases whose true gain on the base is known.

    uv run python benchmarks/gates.py [--releases 12000] [--teams 480] [--json]

Scores are right or wrong (accuracy), counts of an F1, or a judge's grades from 0 to 1, on 100 to 2,000 rows; in half
of the releases, three rows in a row ask nearly the same and are one group. A release at the bound is not better than it
has to be: if its gate says ALLOW, that is a false pass. Beside it stands one that is better by the smallest effect that
the gate of the first promised to show with the declared power. Then teams look at 50 models, none better than it has to
be, on the same rows, with `looks: 50`; a team is fooled if any gate says ALLOW.

The gates are those of `compare`, by the same functions. The others: a point estimate (`compare` before gates had
evidence: the value is at the bound; a bootstrap interval was only drawn beside it), the low end of that percentile
bootstrap interval, a threshold (the model's own score is at the base's true score plus the bound), and lm-eval's z-test
of two models (`model_comparator.py`: from their two standard errors, as if they had answered other rows).
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import special

sys.path.insert(0, str(Path(__file__).parents[1]))
from stages.evaluating import evidence, gates, metrics
from stages.params.evaluation import Compare

ROWS, BOUNDS, SIZES = (100, 300, 1000, 2000), (0.0, -0.03), (1, 3)  # rows of a release; of its gain; rows of a group
ERROR, POWER, LOOKS, SAMPLES = 0.05, 0.8, 50, 400
BATCH = 100  # releases at a time
DECLARED = {"better": "higher", "least": 0, "most": 1}
Passes = dict[str, np.ndarray]  # {who decides: (releases,) whether each passes}


class Draw(NamedTuple):
    """What the releases of a batch have of their own, (releases, 1) from 0 to 1, and their rows."""

    level: np.ndarray
    change: np.ndarray
    rows: int
    size: int  # rows of a group
    together: bool = False  # the base and its answers are the same for all

    def points(self, rng: np.random.Generator, of_base: bool = False) -> np.ndarray:
        """(releases, rows) from 0 to 1. In a group four of five rows are as its first."""
        count = 1 if of_base and self.together else len(self.level)
        points = rng.random((count, self.rows))
        if self.size > 1:
            first = np.arange(self.rows) // self.size * self.size
            points = np.where(rng.random(self.rows) < 0.8, points[:, first], points)
        return np.broadcast_to(points, (len(self.level), self.rows))


class Releases(NamedTuple):
    """Models and their base on the same rows."""

    model: np.ndarray  # (releases, rows, 2): a numerator and a denominator for each row
    base: np.ndarray
    base_truth: np.ndarray  # (releases,): what the base would score on all rows of the world
    possible: np.ndarray  # (releases,): there is a model with this gain


def accuracy(rng: np.random.Generator, gain: np.ndarray, draw: Draw) -> Releases:
    """Right or wrong. The model loses some of the right answers, and wins what makes its true gain `gain`, (n, 1)."""
    right = 0.2 + 0.6 * draw.level
    lost = 0.15 * draw.change + np.maximum(0, -gain) / right
    won = (gain + right * lost) / (1 - right)
    base = draw.points(rng, of_base=True) < right
    model = np.where(base, draw.points(rng) >= lost, draw.points(rng) < won)
    return _releases(*([hits, np.ones(hits.shape)] for hits in (model, base)), right, (won <= 1) & (lost <= 1))


def f1(rng: np.random.Generator, gain: np.ndarray, draw: Draw) -> Releases:
    """2TP and 2TP + FP + FN of one field. Half of the misses give a wrong value, the others none."""
    present, hit, invented = 0.3 + 0.7 * draw.level, 0.3 + 0.4 * draw.change, 0.1
    missed = 1.5 * present + (1 - present) * invented  # the denominator is missed + present / 2 · hit
    truth = 2 * present * hit / (missed + 0.5 * present * hit)
    after = (truth + gain) * missed / (2 * present - 0.5 * present * (truth + gain))
    lost = 0.1 * draw.level + np.maximum(0, hit - after) / hit
    won = (after - hit * (1 - lost)) / (1 - hit)
    there, more, wrong = (draw.points(rng, of_base=True) < share for share in (present, invented, 0.5))
    base = draw.points(rng, of_base=True) < hit
    model = np.where(base, draw.points(rng) >= lost, draw.points(rng) < won)
    counts = ([2 * (there & hits), np.where(there, np.where(hits, 2, 1 + wrong), more)] for hits in (model, base))
    return _releases(*counts, truth, (won <= 1) & (lost <= 1))


def judged(rng: np.random.Generator, gain: np.ndarray, draw: Draw) -> Releases:
    """Grades of 0, 0.25, …, 1. The model's are those of the base, or a step away, and now and then 0."""
    chances = np.array([0.05, 0.15, 0.3, 0.3, 0.2])
    mean, failed, down = chances @ np.arange(5) / 4, 0.03 * draw.level, 0.2 * draw.change
    down = down + np.maximum(0, -gain) / (0.25 * (1 - chances[0]))
    up = ((gain + failed * mean) / (1 - failed) + 0.25 * down * (1 - chances[0])) / (0.25 * (1 - chances[4]))
    base = np.searchsorted(chances.cumsum()[:4], draw.points(rng, of_base=True)) / 4
    point = draw.points(rng)
    stepped = base + 0.25 * ((point < up) & (base < 1)) - 0.25 * ((point > 1 - down) & (base > 0))
    model = np.where(draw.points(rng) < failed, 0, stepped)
    grades = ([of, np.ones(of.shape)] for of in (model, base))
    return _releases(*grades, np.full_like(draw.level, mean), (up >= 0) & (up + down <= 1))


KINDS: dict[str, Callable[[np.random.Generator, np.ndarray, Draw], Releases]] = {
    "accuracy": accuracy, "f1": f1, "judged": judged,
}  # fmt: skip


def _releases(model: list[np.ndarray], base: list[np.ndarray], truth: np.ndarray, possible: np.ndarray) -> Releases:
    return Releases(*(np.stack(counts, axis=-1).astype(float) for counts in (model, base)), truth[:, 0], possible[:, 0])


def decide(releases: Releases, size: int, bound: float, looks: int) -> tuple[Passes, np.ndarray]:
    """(whether each release passes, the smallest gain above the bound that its gate promises to show)."""
    samples = max(SAMPLES, round(looks / ERROR))  # of fewer no p-value is small enough
    params = Compare(
        suite="chat", baseline="base", bootstrap_samples=samples, confidence=1 - ERROR, power=POWER, looks=looks,
        seed=42, min_rows=1, gates={},
    )  # fmt: skip
    rows = releases.model.shape[1]
    sums = [np.add.reduceat(of, np.arange(0, rows, size), axis=1) for of in (releases.model, releases.base)]
    sizes = np.diff(np.arange(0, rows + size, size).clip(max=rows))
    found = gates.shown("exact_match", DECLARED, sums, sizes, bound, params)
    level, gain = ERROR / looks, found.sample.value
    values, errors = zip(*(_by_row(of) for of in (releases.model, releases.base)), strict=True)
    error = np.hypot(*errors)
    passes = {
        "gates": found.evidence.allow <= level,
        "point_estimate": gain >= bound,
        "bootstrap_interval": np.quantile(found.sample.redrawn, ERROR / 2, axis=-1) >= bound,
        "threshold": values[0] >= releases.base_truth + bound,
        "lm_eval_z_test": special.ndtr((bound - gain) / np.where(error > 0, error, 1)) <= ERROR,
    }
    plan = evidence.planned(found.sample, bound, None)
    return passes, evidence.smallest(plan, level, POWER, between=True)


def _by_row(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(value, standard error) of ratios of sums, each row for itself."""
    value = metrics.value("exact_match", rows.sum(axis=1))
    residuals = rows[..., 0] - value[:, None] * rows[..., 1]
    return value, residuals.std(axis=1, ddof=1) / rows[..., 1].mean(axis=1) / np.sqrt(rows.shape[1])


def released(rng: np.random.Generator, releases: int) -> tuple[int, dict[str, Passes], dict[str, Passes]]:
    """(releases, {kind: those at the bound}, {kind: those that are better by what was promised to be shown})."""
    cells = [(kind, rows, size, bound) for kind in KINDS for rows in ROWS for size in SIZES for bound in BOUNDS]
    none: dict[str, list[Passes]] = {kind: [] for kind in KINDS}
    better: dict[str, list[Passes]] = {kind: [] for kind in KINDS}
    made = 0
    while made < releases:
        for kind, rows, size, bound in cells:
            n = min(BATCH, -(-releases // len(cells) // 2))
            draw, at = Draw(rng.random((n, 1)), rng.random((n, 1)), rows, size), np.full((n, 1), bound)
            passes, promised = decide(KINDS[kind](rng, at, draw), size, bound, 1)
            planted = KINDS[kind](rng, at + promised[:, None], draw)
            found, _ = decide(planted, size, bound, 1)
            none[kind].append(passes)
            better[kind].append({who: each[planted.possible] for who, each in found.items()})
            made += n + int(planted.possible.sum())
    return (
        made,
        {kind: _joined(each) for kind, each in none.items()},
        {kind: _joined(each) for kind, each in better.items()},
    )


def peeked(rng: np.random.Generator, teams: int) -> Passes:
    """Whether each team is fooled by one of its models."""
    cells = [(kind, rows, bound) for kind in KINDS for rows in ROWS[::2] for bound in BOUNDS]
    fooled = []
    for kind, rows, bound in cells * -(-teams // len(cells)):
        ones = np.ones((LOOKS, 1))
        draw = Draw(ones * rng.random(), ones * rng.random(), rows, 1, together=True)
        passes, _ = decide(KINDS[kind](rng, ones * bound, draw), 1, bound, LOOKS)
        fooled.append({who: each.any(keepdims=True) for who, each in passes.items()})
    return _joined(fooled)


def _joined(parts: list[Passes]) -> Passes:
    return {who: np.concatenate([part[who] for part in parts]) for who in parts[0]}


def report(releases: int, teams: int) -> dict[str, object]:
    rng = np.random.default_rng(18)
    made, none, better = released(rng, releases)
    fooled = peeked(rng, teams)
    by_kind = {
        kind: {"false_pass": _share(none[kind]["gates"]), "power": _share(better[kind]["gates"])} for kind in KINDS
    }
    everybody, found = _joined(list(none.values())), _joined(list(better.values()))
    figures = {
        who: {
            "false_pass": _share(everybody[who]),
            "power": _share(found[who]),
            "false_pass_after_50_looks": _share(fooled[who]),
        }
        for who in fooled
    }
    ours = figures.pop("gates")
    return {
        "releases": made, "declared": ERROR, "false_pass": ours["false_pass"], "promised_power": POWER,
        "power": ours["power"], "false_pass_after_50_looks": ours["false_pass_after_50_looks"],
        "teams": len(fooled["gates"]), "kinds": by_kind, "others": figures,
    }  # fmt: skip


def _share(passes: np.ndarray) -> float:
    return round(float(passes.mean()), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description="How often gates err, on simulated releases.")
    parser.add_argument("--releases", type=int, default=12_000)
    parser.add_argument("--teams", type=int, default=480)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    started = time.monotonic()
    result = report(options.releases, options.teams)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    columns = ("false_pass", "power", "false_pass_after_50_looks")
    print(f"{result['releases']} releases, {result['teams']} teams, {time.monotonic() - started:.0f} s")
    print(f"declared: {ERROR} false passes, {POWER} power")
    for who, figures in {"gates": result, **result["others"]}.items():
        print(f"{who:20}", *(f"{name} {figures[name]:.4f}" for name in columns))


if __name__ == "__main__":
    main()
