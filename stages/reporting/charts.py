"""Charts as Vega-Lite specifications, and the library that draws them in the reader's browser.

Colours are CSS variables of the page, so a chart follows the colour scheme. The browser lays out the text, so it keeps
its size at every width.
"""

from functools import cache
from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # an identifier, never fetched
CONFIG = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": "var(--line)", "gridColor": "var(--line)", "tickColor": "var(--line)",
        "labelColor": "var(--ink-2)", "titleColor": "var(--ink-2)",
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelLimit": 220,
    },
}  # fmt: skip
# Colour and dashes of the lines of builds, in their order.
BUILDS = (
    ("first", [1, 0]), ("second", [5, 4]), ("third", [2, 2]), ("fourth", [9, 3]), ("fifth", [8, 3, 2, 3]),
)  # fmt: skip
# Field of the log -> its name on the chart. A run that answers prompts itself logs rewards, and no loss.
LOSSES = {"loss": "training", "eval_loss": "held-out", "reward": "training", "eval_reward": "held-out"}


def loss(name: str, history: list[dict[str, Any]]) -> dict[str, Any]:
    """Training and held-out loss, or mean reward, of one run by step, with a ruler that shows both at the nearest step.

    NaN and infinity are `null` in the log, and leave a gap.
    """
    points = [
        {"step": entry["step"], "rows": kind, "loss": entry[key]}
        for key, kind in LOSSES.items()
        for entry in history
        if key in entry
    ]
    names = list(dict.fromkeys(LOSSES.values()))
    colour = {"domain": names, "range": ["var(--first)", "var(--second)"]}
    dash = {"domain": names, "range": [[1, 0], [5, 4]]}
    series = {
        "y": {"field": "loss", "type": "quantitative", "title": None, "axis": {"tickCount": 4, "domain": False}},
        "color": {"field": "rows", "type": "nominal", "legend": None, "scale": colour},
    }
    lines = {
        "mark": {"type": "line", "strokeWidth": 2, "interpolate": "monotone"},
        "encoding": {
            **series, "strokeDash": {"field": "rows", "type": "nominal", "legend": None, "scale": dash},
        },
    }  # fmt: skip
    held_out = {
        "transform": [{"filter": "datum.rows === 'held-out'"}],
        "mark": {"type": "point", "filled": True, "size": 40, "opacity": 1},
        "encoding": series,
    }
    hover = {"type": "point", "fields": ["step"], "nearest": True, "on": "pointerover", "clear": "pointerout"}
    ruler = {
        "transform": [{"pivot": "rows", "value": "loss", "groupby": ["step"]}],
        "mark": {"type": "rule", "color": "var(--ink-2)"},
        "params": [{"name": "hover", "select": hover}],
        "encoding": {
            "opacity": {"condition": {"param": "hover", "empty": False, "value": 0.6}, "value": 0},
            "tooltip": [
                {"field": "step", "type": "quantitative", "format": ","},
                *({"field": kind, "type": "quantitative", "format": ".4~g"} for kind in names),
            ],
        },
    }
    x = {
        "field": "step", "type": "quantitative", "scale": {"nice": False},
        "axis": {"grid": False, "tickCount": 5, "format": "~s", "title": "step"},
    }  # fmt: skip
    layers = [lines, held_out, ruler] if any(point["rows"] == "held-out" for point in points) else [lines, ruler]
    description = f"Loss of {name} per step, on training and on held-out rows."
    return _chart(description, points, 180, encoding={"x": x}, layer=layers)


def side_by_side(run: str, histories: dict[str, list[dict[str, Any]]], builds: list[str]) -> dict[str, Any]:
    """Losses, or mean rewards, of one run in several builds: on held-out rows where each has a line, else in training.

    Args:
        histories: {build: history} of those that have the run.
        builds: all builds, at most as many as there are `BUILDS`; the place of one among them gives its look.
    """
    kinds = [[LOSSES[name] for step in history for name in step if name in LOSSES] for history in histories.values()]
    kind = "held-out" if all(of_build.count("held-out") > 1 for of_build in kinds) else "training"
    points = [
        {"step": entry["step"], "build": build, "loss": entry[name]}
        for build, history in histories.items()
        for entry in history
        for name in LOSSES
        if LOSSES[name] == kind and name in entry
    ]
    looks = {build: look for build, look in zip(builds, BUILDS, strict=False) if build in histories}
    scale = {"domain": [*looks], "range": [f"var(--{colour})" for colour, _ in looks.values()]}
    dash = {"domain": [*looks], "range": [pattern for _, pattern in looks.values()]}
    encoding = {
        "x": {
            "field": "step", "type": "quantitative", "scale": {"nice": False},
            "axis": {"grid": False, "tickCount": 5, "format": "~s", "title": "step"},
        },
        "y": {"field": "loss", "type": "quantitative", "title": None, "axis": {"tickCount": 4, "domain": False}},
        "color": {"field": "build", "type": "nominal", "legend": None, "scale": scale},
        "strokeDash": {"field": "build", "type": "nominal", "legend": None, "scale": dash},
        "tooltip": [
            {"field": "build", "type": "nominal"},
            {"field": "step", "type": "quantitative", "format": ","},
            {"field": "loss", "type": "quantitative", "format": ".4~g"},
        ],
    }  # fmt: skip
    line = {"mark": {"type": "line", "strokeWidth": 2, "interpolate": "monotone", "point": True}, "encoding": encoding}
    return _chart(f"Loss of {run} per step on {kind} rows, a line a build.", points, 180, layer=[line])


def quality(metric: str, files: list[dict[str, Any]]) -> dict[str, Any]:
    """Difference of a metric between each quantized file and its model, over a band of the allowed difference."""
    points = [
        {"name": file["name"], "allowed": file["allowed"].max_difference, **file["metrics"][metric]} for file in files
    ]
    reach = max([max(abs(point["difference"]), point["allowed"]) for point in points] + [0.001]) * 1.2
    names = {"field": "name", "type": "nominal", "sort": None}
    band = {
        "transform": [{"calculate": "-datum.allowed", "as": "low"}],
        "mark": {"type": "rect", "color": "var(--band)"},
        "encoding": {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "allowed"}, "y": names},
    }
    zero = {
        "data": {"values": [{"zero": 0}]},
        "mark": {"type": "rule", "color": "var(--ink-2)"},
        "encoding": {"x": {"field": "zero", "type": "quantitative"}},
    }
    axis = {
        "title": f"{metric}: file minus model", "tickCount": 5, "grid": False,
        "labelExpr": "datum.value === 0 ? '0' : format(datum.value, '+.3~f')",
    }  # fmt: skip
    dots = {
        "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "color": "var(--first)"},
        "encoding": {
            "x": {
                "field": "difference", "type": "quantitative", "axis": axis,
                "scale": {"domain": [-reach, reach], "nice": False},
            },
            "y": {**names, "axis": {"title": None, "domain": False, "ticks": False, "labelPadding": 8}},
            "tooltip": [
                {"field": "name", "title": "quantized", "type": "nominal"},
                {"field": "model", "type": "quantitative", "format": ".4f"},
                {"field": "file", "type": "quantitative", "format": ".4f"},
                {"field": "difference", "type": "quantitative", "format": "+.4f"},
            ],
        },
    }  # fmt: skip
    description = f"{metric} of every quantized file minus that of its model; the bands are what is allowed."
    return _chart(description, points, 60 + 26 * len(points), layer=[band, zero, dots])


@cache
def library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the installed package; it fetches nothing."""
    import vl_convert

    return vl_convert.javascript_bundle()


def _chart(description: str, values: list[dict[str, Any]], height: int, **rest: Any) -> dict[str, Any]:
    return {
        "$schema": SCHEMA, "description": description, "width": "container", "height": height,
        "autosize": {"type": "fit", "contains": "padding"}, "data": {"values": values}, "config": CONFIG, **rest,
    }  # fmt: skip
