"""Rendering of pages as single HTML files: template filters and the content security policy."""

import base64
import hashlib
import io
from pathlib import Path
from typing import Any

import jinja2
import msgspec

from stages.reporting import formatting
from stages.reporting.build import weight_bytes

NO_SCRIPTS = "'none'"


def difference_in_words(entry: dict[str, Any]) -> str:
    """`better` or `worse`, by the metric's direction; `no clear difference` if the interval contains 0."""
    if entry["difference_low"] <= 0 <= entry["difference_high"]:
        return "no clear difference"
    return "better" if (entry["difference"] > 0) == (entry["better"] == "higher") else "worse"


def scale(models: dict[str, dict[str, Any]], metric: str) -> tuple[float, float]:
    """(low, high) ends of the axis of a metric: its declared range; if that is unbounded, as far as intervals reach."""
    entries = [metrics[metric] for metrics in models.values() if metric in metrics]
    least, most = entries[0]["least"], entries[0]["most"]
    if most is None:
        most = max(entry["high"] for entry in entries)
    return least, most if most > least else least + 1


def position(value: float, ends: tuple[float, float]) -> str:
    """The place of a value on an axis: `37.50%`."""
    low, high = ends
    return f"{100 * (value - low) / (high - low):.2f}%"


def metric_names(models: dict[str, dict[str, Any]]) -> list[str]:
    """Every metric of any model, in the order of the models."""
    return list(dict.fromkeys(name for metrics in models.values() for name in metrics))


def direction(models: dict[str, dict[str, Any]], metric: str) -> str:
    """`higher is better` or `lower is better`."""
    return next(f"{metrics[metric]['better']} is better" for metrics in models.values() if metric in metrics)


def join_names(names: tuple[str, ...], files: tuple[str, ...]) -> str:
    """Models and quantized files by name; more than three quantized files by their number."""
    of_files = [name for name in names if name in files]
    if len(of_files) <= 3:
        return ", ".join(names)
    number = f"all {len(files)} files" if len(of_files) == len(files) else f"{len(of_files)} of {len(files)} files"
    return ", ".join([*(name for name in names if name not in files), number])


def as_yaml(params: Any) -> str:
    """A section as it is in `params.yaml`."""
    from ruamel.yaml import YAML

    text = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False
    writer.dump(msgspec.to_builtins(params), text)
    return text.getvalue().rstrip()


def security_policy(scripts: list[str]) -> str:
    """Content security policy: the browser fetches nothing, and runs only these scripts."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {hashes or NO_SCRIPTS}"


def render(folders: list[Path], name: str, values: dict[str, Any], scripts: list[str]) -> str:
    """The page of a template. Values are escaped, as they may come from rows, models or parameters.

    Args:
        folders: searched for templates, in order; one has page.css.
        scripts: written into the page unescaped.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders), undefined=jinja2.StrictUndefined, autoescape=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "count": formatting.count,
        "size": formatting.size,
        "fixed": formatting.fixed,
        "signed": formatting.signed,
        "loss": formatting.loss,
        "losses": formatting.losses,
        "weight_bytes": weight_bytes,
        "metric_names": metric_names,
        "words": lambda name: str(name).replace("_", " "),
        "difference_in_words": difference_in_words,
        "scale": scale,
        "direction": direction,
        "position": position,
        "join_names": join_names,
        "as_yaml": as_yaml,
    }
    markup = jinja2.utils.markupsafe.Markup
    style, _, _ = environment.loader.get_source(environment, "page.css")
    return environment.get_template(name).render(
        values, policy=security_policy(scripts), scripts=[markup(script) for script in scripts], style=markup(style)
    )
