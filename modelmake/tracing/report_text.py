"""What `modelmake trace` prints: lines, one a fact, and Mermaid drawings."""

import json
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

SHOWN = 10  # consumed rows of a step, without --rows
WIDTH = 110
Facts = dict[str, Any]


def model(report: Facts, rows: bool) -> Iterator[str]:
    """Lines about an output."""
    yield f"output      {report['output']}{_inner(report)}, made by {report['stage']}"
    yield f"md5         {report['md5']}"
    if report["note"]:
        yield f"note        {report['note']}"
    if report["also"]:
        yield f"also        {', '.join(report['also'])}: the same bytes"
    yield from _commits("commit", report)
    yield "stages"
    width = max(len(stage["stage"]) for stage in report["stages"])
    for stage in report["stages"]:
        yield f"  {stage['stage']:{width}}  {stage['run']['told']}"
        if stage["build"] is not None:
            where = ", ".join(_short(c) for c in stage["build"]) or "no commit"
            yield f"  {'':{width}}  not as dvc.lock has it now: from {where}"
        for link in stage["inputs"]:
            if link["unsure"]:
                yield f"  {'':{width}}  {' from '.join([link['path'], *link['from']])}: {link['unsure']}"
    yield "parameters"
    told: dict[str, str] = {}
    for stage in report["stages"]:
        for name, value in stage["parameters"].items():
            line = f"  {name}: {json.dumps(value, ensure_ascii=False)}"
            if told.setdefault(name, line) is line:
                yield line
            elif told[name] != line:
                yield f"{line} in {stage['stage']}"
    yield from _code(report)
    yield "data"
    for data in report["data"]:
        size = f"{data['files']:,} file{'s' * (data['files'] != 1)}, {data['bytes'] or 0:,} bytes"
        yield f"  {data['path']}  {data['md5']}  {size}" + (f": {data['unsure']}" if data["unsure"] else "")
    for consumed in report["consumed"]:
        yield from _consumed(consumed, rows)
    for read in report["unrecorded"]:
        yield f"read by {read['stage']}: {read['rows']:,} rows of {read['file']}; it keeps no list of what it consumed"
    yield from _missing(report["missing"])
    yield from _unreadable(report)


def _inner(report: Facts) -> str:
    return f", its {report['file']}" if report["file"] else ""


def _short(commit: Facts) -> str:
    return " ".join([commit["commit"][:10], *([commit["date"]] if "date" in commit else []), commit["subject"]])


def _commits(name: str, report: Facts) -> Iterator[str]:
    if report["working_tree"]:
        yield f"{name:12}the working tree's dvc.lock"
    for commit in report["commits"]:
        yield f"{name:12}{_short(commit)}"
    if not report["commits"] and not report["working_tree"]:
        yield f"{name:12}none: it was built in this working tree and never committed"


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
            yield f"  {code['file']}  {code['md5']}: git does not have it as it was"
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
    times = len(consumed["rows"])
    yield (
        f"consumed by {consumed['stage']}: {consumed['distinct']:,} rows in {consumed['steps']:,} steps, "
        f"{times:,} times ({consumed['output']})"
    )
    for file, n in consumed["files"].items():
        yield f"  {file}: {n:,} rows"
    for row in consumed["rows"] if rows else consumed["rows"][:SHOWN]:
        yield f"  step {row['step']}  {row['id']}  {', '.join(row['sources']) or 'no source recorded'}"
    if not rows and times > SHOWN:
        yield f"  … {times - SHOWN:,} more: --rows"


def _missing(missing: list[Facts]) -> Iterator[str]:
    if missing:
        yield "not in the cache (`dvc fetch` may bring them)"
        yield from (f"  {m['path']}  {m['md5']}  of {m['stage']}" for m in missing)


def _unreadable(report: Facts) -> Iterator[str]:
    for found in report["unreadable"]:
        yield f"not read: dvc.lock of {found['commit'][:10]}: {found['problem']}"


HEADS = {
    "consumed": "consumed by",
    "read": "read by, which keeps no list of what it consumed",
    "held": "held, and consumed by none of these models",
    "dropped": "dropped",
    "refused": "became no row",
    "unknown": "not known, for want of what is not in the cache",
}


def row(report: Facts) -> Iterator[str]:
    """Lines about a row."""
    for found in report["rows"]:
        alike = f" ({found['similarity']})" if found["similarity"] else ""
        yield f"row  {found['id']}  {found['relation']}{alike}"
        if found["text"]:
            yield f"  {textwrap.shorten(found['text'], WIDTH, placeholder=' …')}"
    for place in report["places"]:
        yield f"  {place['id']}  {place['place']}  {_when(place)}"
    for name, times in report["elsewhen"].items():
        yield f"  in {times} other build{'s' * (times != 1)} {name} stood there"
    for kind, head in HEADS.items():
        if report[kind]:
            yield head
            yield from (f"  {_told(kind, fact)}  {_when(fact)}" for fact in report[kind])
    if not report["consumed"] and not report["read"]:
        yield "no model of any build is known to have consumed it"
    if report["uncompared"]["ids"]:
        yield f"may be alike, but their texts are not in the cache: {', '.join(report['uncompared']['ids'])}"
    if report["uncompared"]["more"]:
        yield f"not compared, for their texts were not in the cache: {report['uncompared']['more']:,} rows"
    if report["missing"]:
        yield "not in the cache (`dvc fetch --all-commits` may bring them)"
        yield from (f"  {m['path']}  {m['md5']}  of {m['stage']}  {_when(m)}" for m in report["missing"])
    yield from _unreadable(report)


def _told(kind: str, fact: Facts) -> str:
    models = ", ".join(fact.get("models", ())) or "no model"
    if kind in ("consumed", "read"):
        return f"{fact['stage']}: {models}: {', '.join(fact['rows'])}"
    if kind == "held":
        return f"{fact['file']} of {fact['stage']}: {models}: {', '.join(fact['rows'])}"
    if kind == "unknown":
        return f"{fact['stage']}: {models}: {', '.join(fact['unread'])}"
    rest = [f"{name} {fact[name]}" for name in fact if name not in _KNOWN and fact[name] not in (None, "")]
    subject = f"{fact['id']} by {fact['stage']}" if kind == "dropped" else f"{fact['place']} by {fact['stage']}"
    kept = f", for {fact['kept']}" if fact.get("kept") else ""
    return f"{subject}: {', '.join([fact['reason'], *rest])}{kept}"


_KNOWN = ("id", "kept", "table", "stage", "reason", "place", "found", "commits", "working_tree")


def _when(fact: Facts) -> str:
    """In how many commits, and the newest."""
    found = [f"{_short(fact['commits'][0])}"] if fact["commits"] else []
    if len(fact["commits"]) > 1:
        found.append(f"and {len(fact['commits']) - 1:,} before")
    if fact["working_tree"] and not found:
        found.append("the working tree, not committed")
    return f"[{' '.join(found) or 'in no commit'}]"


def model_graph(report: Facts) -> Iterator[str]:
    """The chain of stages as a Mermaid flowchart."""
    yield "flowchart TD"
    names = {stage["stage"]: f"s{n}" for n, stage in enumerate(report["stages"])}
    for stage in report["stages"]:
        accepted = "<br/>accepted, not rebuilt" if stage["run"]["state"] == "accepted" else ""
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
        told = f"{consumed['distinct']:,} rows consumed in {consumed['steps']:,} steps"
        yield f"  {names[consumed['stage']]} -.- c{number}[/{_quoted(told)}/]"
    yield f"  {names[report['stage']]} --> model([{_quoted(report['output'])}])"


def row_graph(report: Facts) -> Iterator[str]:
    """Where the row stood, what became of it, and the models that consumed it, as a Mermaid flowchart."""
    yield "flowchart LR"
    rows = {found["id"]: f"r{n}" for n, found in enumerate(report["rows"])}
    for found in report["rows"]:
        yield f"  {rows[found['id']]}[{_quoted(found['id'] + ': ' + found['relation'])}]"
    nodes: dict[str, str] = {}

    def node(text: str, left: str, right: str) -> str:
        if text in nodes:
            return nodes[text]
        nodes[text] = f"n{len(nodes)}"
        return f"{nodes[text]}{left}{_quoted(text)}{right}"

    def edges(kind: str, names: Iterable[str], text: str, arrow: str, left: str, right: str) -> Iterator[str]:
        for name in names:
            yield f"  {rows[name]} {arrow} {node(text, left, right)}"

    for place in report["places"]:
        yield f"  {node(place['place'], '[(', ')]')} --> {rows[place['id']]}"
    for kind, arrow in (("consumed", "==>|consumed|"), ("read", "-->|read|"), ("held", "-.->|held|")):
        for fact in report[kind]:
            target = fact["file"] if kind == "held" else ", ".join(fact["models"])
            yield from edges(kind, fact["rows"], f"{target} {_when(fact)}", arrow, "([", "])")
    for fact in report["dropped"]:
        yield f"  {rows[fact['id']]} --x {node(_told('dropped', fact).partition(' by ')[2], '{{', '}}')}"


def _quoted(text: str) -> str:
    """A Mermaid label: its quotes and marks as entities."""
    return '"' + text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;") + '"'
