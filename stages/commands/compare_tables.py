"""The facts about builds as tables of texts, a column a build: what the page and the terminal both show."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from stages.reporting import html
from stages.reporting.formatting import count, fixed, loss, signed, size

NOTHING = "–"
SHORT = 10  # digits of a hash
LONGEST = 200  # characters of a parameter
SLICES = "Below each score the difference from the model that it is held against in that build."


class Cell(NamedTuple):
    text: str = NOTHING
    aside: str = ""  # an interval or a note
    look: str = ""  # allow, reject, inconclusive, better, worse, no: a class of the page


class Line(NamedTuple):
    name: str
    aside: str
    cells: list[Cell]  # one a build; none of a heading


class Table(NamedTuple):
    chapter: str
    title: str
    note: str
    lines: list[Line]


def tables(facts: dict[str, Any]) -> list[Table]:
    """Every table that has a line."""
    names = [build["name"] for build in facts["builds"]]
    first = names[0]
    result = [
        Table("verdict", "Gates", "", _lines(facts["gates"], _gate)),
        *(Table("alternatives", f"In place of {name}", "Declared prices of 1,000 requests.", _lines(of_name, _weighed))
          for name, of_name in facts["alternatives"].items()),
        *(_scores(suite, metrics, first) for suite, metrics in facts["scores"].items()),
        *(Table("slices", f"Slices of {name}", SLICES, _lines(of_name, _slice))
          for name, of_name in facts["slices"].items()),
        Table("training", "Last losses", "As logged; of some runs mean rewards.", _lines(facts["training"], _run)),
        Table("files", "Quantized files", "", _lines(facts["files"], _file)),
        Table("rows", "Rows out of each stage", "", _lines(facts["rows"], _rows)),
        Table("changes", "Parameters that differ", "", _lines(facts["parameters"], _parameter)),
        Table("changes", "Files that no stage makes, and that differ", f"MD5; = as in {first}.",
              _lines(facts["inputs"], _md5)),
        Table("changes", "Code and packages", f"Against {first}.", _code(facts["code"])),
        Table("lineage", "Models", f"MD5 as in dvc.lock; = as in {first}. `modelmake trace` leads on.",
              _lines(facts["models"], _model)),
    ]  # fmt: skip
    return [table for table in result if table.lines]


def described(build: dict[str, Any]) -> str:
    """`3f2a1b… of 2026-11-30`, of no date where no branch has the commit; or what the working tree is."""
    if not build["commit"]:
        return "the working tree"
    return f"{build['commit'][:SHORT]} of {build['date']}" if build["date"] else build["commit"][:SHORT]


def headlines(facts: dict[str, Any]) -> list[Cell]:
    """The main metric of each build's model, with its difference from the first build."""
    found = facts["answers"]
    models = facts["scores"].get(found["suite"], {}).get(found["metric"], {})
    cells = [models.get(build["model"]) for build in facts["builds"]]
    return [_score(of_model[place] if of_model else None) for place, of_model in enumerate(cells)]


def _lines(facts: dict[str, list[Any]], cell: Callable[[Any, Any], Cell]) -> list[Line]:
    """A line for each name; `cell` makes a cell of a build's value and the first build's, None for its own."""
    return [
        Line(
            name,
            "",
            [
                Cell() if value is None else cell(value, values[0] if place else None)
                for place, value in enumerate(values)
            ],
        )
        for name, values in facts.items()
    ]


def _gate(gate: dict[str, Any], _: Any) -> Cell:
    look = gate["verdict"].lower()
    if "value" not in gate:
        return Cell(gate["verdict"], gate["why"], look)
    number = signed if gate["against"] else fixed
    text = f"{number(gate['value'])}, {number(gate['low'])} to {number(gate['high'])}"
    warned = "; a warning" if gate.get("warning") else ""
    return Cell(gate["verdict"], f"{text}; want {gate['limit']} {number(gate['wanted'])}{warned}", look)


def _scores(suite: str, metrics: dict[str, Any], first: str) -> Table:
    lines = []
    for metric, models in metrics.items():
        better = next((cell["better"] for cells in models.values() for cell in cells if cell and "better" in cell), "")
        lines.append(Line(metric, f"{better} is better" if better else "", []))
        lines += [Line(model, "", [_score(cell) for cell in cells]) for model, cells in models.items()]
    note = (
        f"With intervals; below them the difference from {first}, row by row, of the rows that both answered. Where "
        "its interval holds 0, these rows do not tell the two apart. Each interval is meant for itself: of twenty, one "
        "may be off by chance."
    )
    return Table("scores", f"Scores on {suite}", note + "".join(_other_rows(metrics)), lines)


def _score(cell: dict[str, Any] | None) -> Cell:
    if cell is None:
        return Cell()
    interval = f"{fixed(cell['low'])} to {fixed(cell['high'])}" if "low" in cell else "no interval here"
    text, difference = f"{fixed(cell['value'])} ({interval})", cell.get("from_first")
    if not difference:
        return Cell(text)
    if "same" in difference:
        return Cell(text, "the same answers", "no")
    if "unknown" in difference:
        return Cell(text, difference["unknown"], "no")
    entry = {f"difference{end}": difference[name] for end, name in (("", "by"), ("_low", "low"), ("_high", "high"))}
    words = html.difference_in_words(entry | {"better": cell["better"]}) if "better" in cell else ""
    moved = f"{signed(difference['by'])} ({signed(difference['low'])} to {signed(difference['high'])})"
    return Cell(text, f"{moved} {words}".strip(), words.partition(" ")[0])


def _other_rows(metrics: dict[str, Any]) -> Iterator[str]:
    """How many rows differences leave out, a sentence for each pair of suites that is not the same."""
    cells = [cell for models in metrics.values() for of_model in models.values() for cell in of_model if cell]
    differences = [cell["from_first"] for cell in cells if "rows" in cell.get("from_first", {})]
    seen = dict.fromkeys((d["rows"], d["only_first"], d["only_this"]) for d in differences)
    for rows, only_first, only_this in seen:
        if only_first or only_this:
            yield (
                f" The suites differ: differences are of {count(rows, 'rows')}; {count(only_first, 'rows')} of the "
                f"first and {count(only_this, 'rows')} of another are in it alone."
            )


def _weighed(entry: dict[str, Any], _: Any) -> Cell:
    cost = "cost unknown" if entry["per_1000"] is None else f"{entry['per_1000']:.4g} {entry['currency']}"
    value = "not measured" if entry["value"] is None else f"{entry['metric']} {fixed(entry['value'])}"
    gain = f"; {signed(entry['gain'])} ({signed(entry['low'])} to {signed(entry['high'])})" if "gain" in entry else ""
    return Cell(entry.get("verdict", "the fine-tune"), f"{value}{gain}; {cost}")


def _slice(entry: dict[str, Any], _: Any) -> Cell:
    score = f"{fixed(entry['score'])} ({fixed(entry['low'])} to {fixed(entry['high'])}), {count(entry['rows'], 'rows')}"
    ends = f"({signed(entry['difference_low'])} to {signed(entry['difference_high'])})"
    return Cell(score, f"{signed(entry['difference'])} {ends} {entry['verdict']}".strip(), entry["verdict"])


def _run(run: dict[str, Any], first: dict[str, Any] | None) -> Cell:
    if run["same"] and first:
        return Cell("the same run")
    rows = f", {count(run['rows'], 'rows')}" if run["rows"] is not None else ""
    held_out = f", {loss(run['eval_loss'])} held-out" if run["eval_loss"] is not None else ""
    return Cell(f"{loss(run['loss'])}{held_out}", f"{count(run['steps'], 'steps')}{rows}")


def _file(file: dict[str, Any], _: Any) -> Cell:
    bytes_ = size(file["bytes"]) if file["bytes"] is not None else "size unknown"
    moved = f"; {file['metric']} {fixed(file['model'])} → {fixed(file['file'])}" if file["metric"] else ""
    same = f"{100 * file['same_answers']:.1f} % of answers as its model{moved}"
    return Cell(f"{bytes_}, {file['verdict']}", same, file["verdict"])


def _rows(rows: dict[str, Any], first: dict[str, Any] | None) -> Cell:
    dropped = sum(rows.get("dropped", {}).values())
    more = rows["out"] - first["out"] if first else 0
    notes = [f"{more:+,}"] * bool(more) + [f"{dropped:,} dropped"] * bool(dropped)
    return Cell(f"{rows['out']:,}", ", ".join(notes))


def _parameter(value: dict[str, Any], _: Any) -> Cell:
    text = json.dumps(value["value"], ensure_ascii=False, default=str)
    return Cell(text if len(text) <= LONGEST else f"{text[:LONGEST]} …")


def _md5(md5: str, first: str | None) -> Cell:
    return Cell("=" if md5 == first else md5[:SHORT] or "no MD5")


def _model(model: dict[str, Any], first: dict[str, Any] | None) -> Cell:
    text = size(model["bytes"]) if model["bytes"] is not None else ""
    return Cell("=" if first and first["md5"] == model["md5"] else model["md5"][:SHORT] or "no MD5", text)


def _code(code: list[dict[str, Any]]) -> list[Line]:
    """A line for each thing that differs in any build."""
    stages = dict.fromkeys(name for of_build in code for name in of_build["stages"])
    phrases = sorted({phrase for of_build in code for phrase in of_build["phrases"]})
    lines = [Line("stages with another key", "", [Cell(count(len(c["stages"]))) for c in code])] if stages else []
    unknown = [Cell(", ".join(of_build["unknown"]) or NOTHING) for of_build in code]
    if any(of_build["unknown"] for of_build in code):
        lines.append(Line("of these without a key in git", "", unknown))
    return lines + [
        Line(phrase, "", [Cell("differs" if phrase in of_build["phrases"] else NOTHING) for of_build in code])
        for phrase in phrases
    ]
