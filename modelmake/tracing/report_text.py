"""The answers of `modelmake trace` as lines of text, one for each fact, and as Mermaid flowcharts."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

SHOWN = 10  # consumed rows of a training step, without --rows
WIDTH = 110  # characters
Facts = dict[str, Any]  # a report, or a part of one
HEADS = {  # kind of answer about a row: the line above
    "consumed": "consumed by",
    "read": "read by stages that keep no list of what they consumed",
    "held": "held, and consumed by none of these models",
    "dropped": "dropped",
    "rejected": "became no row",
    "unknown": "not known: files are not in the cache",
}
NO_DETAILS = ("id", "kept", "table", "stage", "reason", "place", "found", "commits", "working_tree")


def model(report: Facts, rows: bool) -> Iterator[str]:
    """Lines about the origin of an output."""
    file = f", its {report['file']}" if report["file"] else ""
    yield f"output      {report['output']}{file}, made by {report['stage']}"
    yield f"md5         {report['md5']}"
    if report["note"]:
        yield f"note        {report['note']}"
    if report["also"]:
        yield f"also        {', '.join(report['also'])}: the same bytes"
    yield from _commits(report)
    yield "stages"
    width = max(len(stage["stage"]) for stage in report["stages"])
    for stage in report["stages"]:
        yield f"  {stage['stage']:{width}}  {stage['run']['message']}"
        if stage["build"] is not None:
            where = ", ".join(map(_short, stage["build"])) or "no commit"
            yield f"  {'':{width}}  not as dvc.lock has it now: from {where}"
        for link in stage["inputs"]:
            if link["unsure"]:
                yield f"  {'':{width}}  {' from '.join([link['path'], *link['from']])}: {link['unsure']}"
    yield from _parameters(report)
    yield from _code(report)
    yield "data"
    for data in report["data"]:
        size = f"{data['files']:,} file{'s' * (data['files'] != 1)}, {data['bytes'] or 0:,} bytes"
        yield f"  {data['path']}  {data['md5']}  {size}" + (f": {data['unsure']}" if data["unsure"] else "")
    for consumed in report["consumed"]:
        yield from _consumed(consumed, rows)
    for read in report["unrecorded"]:
        yield f"read by {read['stage']}: {read['rows']:,} rows of {read['file']}; it keeps no list of what it consumed"
    for made in report["unknown"]:
        yield f"rows of {made['path']}: unknown; {made['stage']} made a model of it, and no stage here made it"
    if report["missing"]:
        yield "not in the cache (`dvc fetch` may bring them)"
        yield from (f"  {file['path']}  {file['md5']}  of {file['stage']}" for file in report["missing"])
    yield from _unreadable(report)


def _short(commit: Facts) -> str:
    return " ".join([commit["commit"][:10], *([commit["date"]] if "date" in commit else []), commit["subject"]])


def _commits(report: Facts) -> Iterator[str]:
    if report["working_tree"]:
        yield "commit      the working tree's dvc.lock"
    for commit in report["commits"]:
        yield f"commit      {_short(commit)}"
    if not report["commits"] and not report["working_tree"]:
        yield "commit      none: it was built in this working tree and never committed"


def _parameters(report: Facts) -> Iterator[str]:
    """Each parameter once, and again where a stage had another value."""
    yield "parameters"
    lines: dict[str, str] = {}
    for stage in report["stages"]:
        for name, value in stage["parameters"].items():
            line = f"  {name}: {json.dumps(value, ensure_ascii=False)}"
            if name not in lines:
                lines[name] = line
                yield line
            elif lines[name] != line:
                yield f"{line} in {stage['stage']}"


def _code(report: Facts) -> Iterator[str]:
    yield "code"
    packages: dict[str, None] = {}
    for stage in report["stages"]:
        code = stage["code"]
        if code is None:
            yield f"  {stage['stage']}: has no key file"
            continue
        key = code["key"]
        if key is None:
            yield f"  {code['file']}  {code['md5']}: this version is not in git"
            continue
        parts = key.get("symbols") or key.get("modules") or {}
        environments = f"; {', '.join(key['environments'])}" if key.get("environments") else ""
        files = f"; {', '.join(key['files'])}" if key.get("files") else ""
        yield f"  {code['file']}  python {key.get('python')}: {', '.join(parts)}{files}{environments}"
        packages |= dict.fromkeys(f"{name} {version}" for name, version in key.get("packages", {}).items())
    yield "packages"
    if packages:
        yield from textwrap.wrap(
            ", ".join(sorted(packages)), WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )


def _consumed(consumed: Facts, rows: bool) -> Iterator[str]:
    """The rows of a training step; only the first ones unless `rows`."""
    times = len(consumed["rows"])
    yield (
        f"consumed by {consumed['stage']}: {consumed['distinct']:,} rows in {consumed['steps']:,} steps, "
        f"{times:,} times ({consumed['output']})"
    )
    for file, count in consumed["files"].items():
        yield f"  {file}: {count:,} rows"
    for row in consumed["rows"] if rows else consumed["rows"][:SHOWN]:
        yield f"  step {row['step']}  {row['id']}  {', '.join(row['sources']) or 'no source recorded'}"
    if not rows and times > SHOWN:
        yield f"  … {times - SHOWN:,} more: --rows"


def _unreadable(report: Facts) -> Iterator[str]:
    for lock in report["unreadable"]:
        yield f"not read: dvc.lock of {lock['commit'][:10]}: {lock['problem']}"


def row(report: Facts) -> Iterator[str]:
    """Lines about the outcome of a row in every build."""
    for match in report["rows"]:
        similarity = f" ({match['similarity']})" if match["similarity"] else ""
        yield f"row  {match['id']}  {match['relation']}{similarity}"
        if match["text"]:
            yield f"  {textwrap.shorten(match['text'], WIDTH, placeholder=' …')}"
    for place in report["places"]:
        yield f"  {place['id']}  {place['place']}  {_when(place)}"
    for name, count in report["other_builds"].items():
        yield f"  in {count} other build{'s' * (count != 1)} {name} was at this place"
    for kind, head in HEADS.items():
        if report[kind]:
            yield head
            yield from (f"  {_answer(kind, fact)}  {_when(fact)}" for fact in report[kind])
    if not report["consumed"] and not report["read"]:
        yield "no model of any build is known to have consumed it"
    if report["uncompared"]["ids"]:
        yield f"may be similar, but their texts are not in the cache: {', '.join(report['uncompared']['ids'])}"
    if report["uncompared"]["more"]:
        yield f"not compared, because their texts were not in the cache: {report['uncompared']['more']:,} rows"
    if report["missing"]:
        yield "not in the cache (`dvc fetch --all-commits` may bring them)"
        yield from (f"  {file['path']}  {file['md5']}  of {file['stage']}  {_when(file)}" for file in report["missing"])
    yield from _unreadable(report)


def _answer(kind: str, fact: Facts) -> str:
    models = ", ".join(fact.get("models", ())) or "no model"
    if kind in ("consumed", "read"):
        return f"{fact['stage']}: {models}: {', '.join(fact['rows'])}"
    if kind == "held":
        return f"{fact['file']} of {fact['stage']}: {models}: {', '.join(fact['rows'])}"
    if kind == "unknown":
        return f"{fact['stage']}: {models}: {', '.join(fact['unread'])}"
    details = [f"{name} {value}" for name, value in fact.items() if name not in NO_DETAILS and value not in (None, "")]
    subject = f"{fact['id']} by {fact['stage']}" if kind == "dropped" else f"{fact['place']} by {fact['stage']}"
    kept = f", for {fact['kept']}" if fact.get("kept") else ""
    return f"{subject}: {', '.join([fact['reason'], *details])}{kept}"


def _when(fact: Facts) -> str:
    """The newest commit of which a fact is true, and the number of others."""
    newest, *older = fact["commits"] or [None]
    if newest is None:
        return "[the working tree, not committed]" if fact["working_tree"] else "[in no commit]"
    return f"[{_short(newest)} and {len(older):,} before]" if older else f"[{_short(newest)}]"


def model_graph(report: Facts) -> Iterator[str]:
    """The chain of stages as a Mermaid flowchart."""
    yield "flowchart TD"
    names = {stage["stage"]: f"s{n}" for n, stage in enumerate(report["stages"])}
    for stage in report["stages"]:
        run = stage["run"]
        accepted = f"<br/>{_quoted(run['message'].partition(':')[0])[1:-1]}" if run["state"] == "accepted" else ""
        yield f'  {names[stage["stage"]]}[{_quoted(stage["stage"])[:-1]}{accepted}"]'
    data: dict[tuple[str, str], str] = {}
    for stage in report["stages"]:
        for link in stage["inputs"]:
            if not link["from"]:
                node = data.setdefault((link["path"], link["md5"]), f"d{len(data)}")
                yield f"  {node}[({_quoted(link['path'])})] --> {names[stage['stage']]}"
            for maker in link["from"]:
                yield f"  {names[maker]} -->|{_quoted(link['path'])}| {names[stage['stage']]}"
    for number, consumed in enumerate(report["consumed"]):
        count = f"{consumed['distinct']:,} rows consumed in {consumed['steps']:,} steps"
        yield f"  {names[consumed['stage']]} -.- c{number}[/{_quoted(count)}/]"
    yield f"  {names[report['stage']]} --> model([{_quoted(report['output'])}])"


def row_graph(report: Facts) -> Iterator[str]:
    """The places of a row, its drops and the models that consumed it, as a Mermaid flowchart."""
    yield "flowchart LR"
    rows = {match["id"]: f"r{n}" for n, match in enumerate(report["rows"])}
    for match in report["rows"]:
        yield f"  {rows[match['id']]}[{_quoted(match['id'] + ': ' + match['relation'])}]"
    nodes: dict[str, str] = {}

    def node(text: str, left: str, right: str) -> str:
        """A node with this label; its name alone where it is drawn already."""
        if text in nodes:
            return nodes[text]
        nodes[text] = f"n{len(nodes)}"
        return f"{nodes[text]}{left}{_quoted(text)}{right}"

    for place in report["places"]:
        yield f"  {node(place['place'], '[(', ')]')} --> {rows[place['id']]}"
    for kind, arrow in (("consumed", "==>|consumed|"), ("read", "-->|read|"), ("held", "-.->|held|")):
        for fact in report[kind]:
            target = fact["file"] if kind == "held" else ", ".join(fact["models"])
            for id in fact["rows"]:
                yield f"  {rows[id]} {arrow} {node(f'{target} {_when(fact)}', '([', '])')}"
    for fact in report["dropped"]:
        yield f"  {rows[fact['id']]} --x {node(_answer('dropped', fact).partition(' by ')[2], '{{', '}}')}"


def _quoted(text: str) -> str:
    """A Mermaid label, with special characters as entities."""
    return '"' + text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;") + '"'
