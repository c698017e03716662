"""How the values of a build become one HTML file: templates, formats, and what the browser may do with it."""

import base64
import hashlib
import io
from pathlib import Path
from typing import Any

import jinja2
import msgspec

from stages.reporting import summaries

NOTHING = "'none'"


def difference(entry: dict[str, float]) -> str:
    """What a difference from the baseline says, in words."""
    if entry["difference_low"] <= 0 <= entry["difference_high"]:
        return "no clear difference"
    return "better" if entry["difference"] > 0 else "worse"


def signed(value: float) -> str:
    """A difference with its sign; `0.000` has none."""
    text = f"{value:+z.3f}"
    return "0.000" if text == "+0.000" else text.replace("-", "−")


def scale(models: dict[str, dict[str, Any]], metric: str) -> tuple[float, float]:
    """Where a strip of this metric begins and ends: 0 and 1, or wherever values beyond them reach."""
    ends = [entry[end] for metrics in models.values() if (entry := metrics.get(metric)) for end in ("low", "high")]
    return min([0.0, *ends]), max([1.0, *ends])


def on(value: float, ends: tuple[float, float]) -> str:
    """Where a value stands on a scale: `37.50%`."""
    low, high = ends
    return f"{100 * (value - low) / (high - low):.2f}%"


def metric_names(models: dict[str, dict[str, Any]]) -> list[str]:
    """Every metric that any model has, in the order of the first that has it."""
    return list(dict.fromkeys(name for metrics in models.values() for name in metrics))


def named(by: tuple[str, ...], files: tuple[str, ...]) -> str:
    """Who gave an answer: models by name, more than three quantized files by their number."""
    of_files = [name for name in by if name in files]
    if len(of_files) <= 3:
        return ", ".join(by)
    number = f"all {len(files)} files" if len(of_files) == len(files) else f"{len(of_files)} of {len(files)} files"
    return ", ".join([*(name for name in by if name not in files), number])


def spelt(params: Any) -> str:
    """A section as `params.yaml` spells it."""
    from ruamel.yaml import YAML

    text = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False
    writer.dump(msgspec.to_builtins(params), text)
    return text.getvalue().rstrip()


def policy(scripts: list[str]) -> str:
    """A content security policy under which a browser fetches nothing, and runs these scripts alone."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {hashes or NOTHING}"


def render(folders: list[Path], name: str, values: dict[str, Any], scripts: list[str]) -> str:
    """The page of a template, looked for in the folders; whatever comes from rows, models or parameters is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders), undefined=jinja2.StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "count": summaries.count,
        "size": summaries.size,
        "weight": summaries.weight,
        "losses": summaries.losses,
        "loss": summaries.loss,
        "metric_names": metric_names,
        "words": lambda name: str(name).replace("_", " "),
        "signed": signed,
        "fixed": lambda value: f"{value:z.3f}".replace("-", "−"),
        "difference": difference,
        "scale": scale,
        "on": on,
        "named": named,
        "spelt": spelt,
    }
    style, _, _ = environment.loader.get_source(environment, "page.css")
    return environment.get_template(name).render(
        values, policy=policy(scripts), scripts=[jinja2.utils.markupsafe.Markup(s) for s in scripts],
        style=jinja2.utils.markupsafe.Markup(style),
    )  # fmt: skip
