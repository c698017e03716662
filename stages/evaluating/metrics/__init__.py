"""One metric a module. Its `score` returns {name: statistics} for one row, METRIC says what scores mean.

The signature is `score(expected, answer, suite)` for chats, with replies (stages/answers/reply.py), and
`score(likelihood)` for texts. A module whose statistics depend on the other rows, as those of labels do, has
`score_rows` instead: it takes the arguments of all rows. `usable(expected, suite)`, where there is one, is False of an
expected answer that lacks what the metric compares. `lacking()` says what the machine lacks to measure it, and
`told(expected, answer)` what came of an answer, as `<outcome>: <detail>`. `of_samples(*sums)` makes a row's statistics
of the sums of those of its samples, where these are not the sums themselves. `prepare(pairs, file)` does what takes
long for all of (expected, answer) before they are scored, and goes on by `file` after a kill.

Statistics are sufficient: as many numbers for every row, and their sums over any rows are all that `value` needs to
give the metric of these rows. So every metric can be bootstrapped by resampling rows, and told of a slice of them. Most
are a numerator and a denominator: means, and F1 = 2TP / (2TP + FP + FN). A module with others has `combine`. Where most
of many numbers are 0, as those of labels, a row has a `Sparse`.

To add a metric: a module here, its name in `metrics` of `Suite` or `TextSuite` (stages/params/evaluation.py), and a row
in docs/metrics.md; one with `combine` is in `value` too.
"""

import importlib
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Literal, NamedTuple

import msgspec

from modelmake.errors import UserError
from stages.answers.reply import Reply
from stages.evaluating.text_likelihood import TextLikelihood
from stages.params.evaluation import AnySuite, Suite


class Sparse(msgspec.Struct, frozen=True):
    """`size` numbers, all of them 0 but those at some places."""

    size: int
    at: dict[int, float]  # {place: number}


Statistics = tuple[float, ...] | Sparse  # of a row


class Metric(NamedTuple):
    """What the scores of a module mean."""

    better: Literal["higher", "lower"]
    least: float
    most: float | None  # None: unbounded
    source: str  # a paper, standard or program that defines it


def modules(suite: AnySuite) -> list[ModuleType]:
    """The metrics of a suite, in its order."""
    return [importlib.import_module(name) for name in suite.modules()]


def of_modules(suite: AnySuite, function: str) -> dict[str, Callable[..., Any]]:
    """{metric: its function of this name} of those that have one."""
    found = {module.__name__.rpartition(".")[2]: getattr(module, function, None) for module in modules(suite)}
    return {name: of_metric for name, of_metric in found.items() if of_metric}


def score_rows(module: ModuleType, measured: Sequence[tuple[Any, ...]]) -> list[dict[str, Statistics]]:
    """The scores of rows by one metric; `measured` has the arguments of `score` for each."""
    if hasattr(module, "score_rows"):
        return module.score_rows(measured)
    return [module.score(*row) for row in measured]


def lacking(suite: AnySuite) -> list[str]:
    """What this machine lacks, a line for each metric that it cannot measure."""
    return [f"{name}: {line}" for name, ask in of_modules(suite, "lacking").items() if (line := ask())]


def check_machine(suite: AnySuite, where: str) -> None:
    """Raises a UserError if this machine cannot measure a metric; `where` names its parameter."""
    if lines := lacking(suite):
        raise UserError("\n".join(f"{where}: {line}" for line in lines))


def declared(suite: AnySuite) -> dict[str, Metric]:
    """{name: what it means} of every score of the suite. The names are those of the scores of an empty answer."""
    empty = (Reply(""), Reply(""), suite) if isinstance(suite, Suite) else (TextLikelihood(0.0, 0, 0, 0),)
    return {name: metric.METRIC for metric in modules(suite) for name in score_rows(metric, [empty])[0]}


def table(rows: Sequence[Statistics]) -> Any:
    """(rows, k) numbers."""
    import numpy as np

    if not rows or not isinstance(rows[0], Sparse):
        return np.array(rows, float)
    result = np.zeros((len(rows), rows[0].size))
    for numbers, row in zip(result, rows, strict=True):
        numbers[[*row.at]] = [*row.at.values()]
    return result


def added(statistics: Sequence[Statistics]) -> Statistics:
    """The sums of the statistics of one row's samples."""
    if not isinstance(statistics[0], Sparse):
        return tuple(map(sum, zip(*statistics, strict=True)))
    sums: dict[int, float] = {}
    for of_sample in statistics:
        for place, number in of_sample.at.items():
            sums[place] = sums.get(place, 0) + number
    return Sparse(statistics[0].size, sums)


def value(name: str, sums: Any) -> Any:
    """A metric of rows from the sums of their statistics; 0 where nothing was counted.

    Args:
        name: of a score, `<metric>` or `<metric>.<what>`.
        sums: (..., k) numbers, k those of a row.

    Returns:
        (...), one value for each set of sums.
    """
    import numpy as np

    return _combine(name.partition(".")[0])(np.asarray(sums, float))


def has_value(name: str, sums: Any) -> Any:
    """(..., k) sums → (...) whether anything was counted; where not, `value` is 0, which is no value."""
    import numpy as np

    from stages.evaluating.judging import corrected

    sums = np.asarray(sums, float)
    return corrected.is_borne_out(sums) if name.partition(".")[0] == corrected.NAME else sums.any(axis=-1)


def _combine(metric: str) -> Callable[[Any], Any]:
    # named one by one: a key has what names tell (docs/decisions/0053-a-row-has-statistics.md)
    from stages.evaluating.judging import corrected
    from stages.evaluating.metrics import bleu, chrf, macro_f1, perplexity

    combined = {
        "bleu": bleu.combine, "bleu_zh": bleu.combine, "chrf": chrf.combine, "macro_f1": macro_f1.combine,
        "perplexity": perplexity.combine, "byte_perplexity": perplexity.combine, "word_perplexity": perplexity.combine,
        corrected.NAME: corrected.combine,
    }  # fmt: skip
    return combined.get(metric, ratio)


def ratio(sums: Any) -> Any:
    """(..., 2) numerators and denominators → (...) their ratios; 0 where a denominator is 0."""
    import numpy as np

    numerators, denominators = sums[..., 0], sums[..., 1]
    return np.where(denominators == 0, 0.0, numerators / np.where(denominators == 0, 1.0, denominators))


def weights(name: str, sums: Any, sizes: Any) -> Any:
    """How much each group of rows counts, 1 for an average one: in a ratio what its denominator does, else its rows.

    Args:
        sums: (..., groups, k)
        sizes: (groups,) rows of each group.

    Returns:
        (..., groups)
    """
    import numpy as np

    from stages.evaluating.judging import corrected

    if name.partition(".")[0] == corrected.NAME:
        return corrected.weights(sums)
    counts = sums[..., 1] if sums.shape[-1] == 2 else sizes
    mean = counts.mean(axis=-1, keepdims=True)
    return counts / np.where(mean > 0, mean, 1)


def of_text(hit: bool, expected: Reply) -> tuple[float, float]:
    """(1 or 0, 1) of a metric of text; (0, 0) where a call is expected, so that the row does not count."""
    return (float(hit), 1.0) if not expected.calls else (0.0, 0.0)
