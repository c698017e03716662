"""Precision and recall of detectors of personal data by kind, on texts labelled by hand: modelmake beside peers.

A line of the file is {"text", "spans": [{"start", "end", "kind"}]}. A match is right if it overlaps a label of its
kind, a label is hit if a match of its kind overlaps it; `exact` is the share of labels with a match of the same bounds.
Kinds that the file never labels do not count. Peers that are not installed are named and skipped:

    uv run --extra presidio --with scrubadub python benchmarks/pii.py [labelled.jsonl] [--countries US DE] [--json]
"""

import argparse
import importlib.util
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))
from stages import pii
from stages.pii import national

KIND_NAMES = {  # names of other tools and datasets -> kind
    "e-mail": "email", "email_address": "email", "phone_number": "phone", "telephone": "phone", "iban_code": "iban",
    "credit_card": "card", "credit_card_number": "card", "ip_address": "ip", "ipv4": "ip", "ipv6": "ip",
    "key": "api_key", "token": "api_key", "secret": "api_key", "credential": "api_key", "password": "api_key",
    "jwt": "api_key", "private_key": "api_key", "ssn": "national_id", "tax_id": "national_id", "name": "person",
    "social_security_number": "national_id", "national_insurance_number": "national_id",
    "tax_reference_number": "national_id",
}  # fmt: skip
LABELLED = Path(__file__).parent / "pii_labelled/pii.jsonl"
MODELS = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm")
Finder = Callable[[str], list[pii.Span]]


class Row(NamedTuple):
    text: str
    spans: list[pii.Span]


def kind_of(name: str) -> str:
    lower = name.lower()
    return KIND_NAMES.get(lower, lower)


def read(path: Path) -> list[Row]:
    """The labelled rows of a file."""
    rows = []
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            spans = [pii.Span(s["start"], s["end"], kind_of(s["kind"])) for s in value["spans"]]
            bad = [s for s in spans if not 0 <= s.start < s.end <= len(value["text"])]
        except (ValueError, KeyError, TypeError) as error:
            sys.exit(f"{path}:{number}: {type(error).__name__}: {error}: want {{text, spans: [{{start, end, kind}}]}}")
        if bad:
            sys.exit(f"{path}:{number}: span {bad[0].start} to {bad[0].end}: want it in the text")
        rows.append(Row(value["text"], spans))
    if not rows:
        sys.exit(f"{path}: no rows: want at least one")
    return rows


def modelmake(countries: list[str]) -> Finder:
    kinds = [kind for kind in pii.KINDS if kind not in pii.BY_PRESIDIO]
    return lambda text: pii.find(text, kinds, countries)


def presidio() -> tuple[Finder, str]:
    """(Presidio with its defaults and the largest installed English model, or patterns only; name of the model)."""
    from stages.params.cleaning import Presidio
    from stages.pii.presidio import ENTITY_KINDS, NATIONAL_IDS, load_analyzer

    name = next((m for m in MODELS if importlib.util.find_spec(m)), None)
    model = name and f"{name}=={importlib.import_module(name).__version__}"
    analyzer = load_analyzer(Presidio(language="en", model=model, min_score=0.0))

    def find(text: str) -> list[pii.Span]:
        results = analyzer.analyze(text, "en")  # with its own threshold
        kinds = ((r, ENTITY_KINDS.get(r.entity_type)) for r in results)
        return [pii.Span(r.start, r.end, kind or "national_id") for r, kind in kinds
                if kind or r.entity_type in NATIONAL_IDS]  # fmt: skip

    return find, model or "no model"


def scrubadub() -> tuple[Finder, str]:
    """(scrubadub with its defaults, its version)."""
    import scrubadub as package

    scrubber = package.Scrubber()

    def find(text: str) -> list[pii.Span]:
        filths = [f for filth in scrubber.iter_filth(text) for f in getattr(filth, "filths", [filth])]
        return [pii.Span(f.beg, f.end, kind_of(f.type)) for f in filths]

    return find, package.__version__


def overlap(a: pii.Span, b: pii.Span) -> bool:
    return a.kind == b.kind and a.start < b.end and b.start < a.end


def score(rows: list[Row], finder: Finder) -> dict[str, Any]:
    """{rows_per_s, overall, kinds} of a tool."""
    labelled, matched, right, hit, exact = (Counter() for _ in range(5))  # by kind
    kinds = {span.kind for row in rows for span in row.spans}
    finder("warm @ 1")  # compiles patterns, loads models, fills caches
    started_s = time.process_time()
    results = [[span for span in finder(row.text) if span.kind in kinds] for row in rows]
    seconds = time.process_time() - started_s
    for row, spans in zip(rows, results, strict=True):
        for span in spans:
            matched[span.kind] += 1
            right[span.kind] += any(overlap(span, label) for label in row.spans)
        for label in row.spans:
            labelled[label.kind] += 1
            hit[label.kind] += any(overlap(span, label) for span in spans)
            exact[label.kind] += label in spans

    def shares(names: set[str]) -> dict[str, Any]:
        n, m, r, h, e = (sum(counter[name] for name in names) for counter in (labelled, matched, right, hit, exact))
        share = {"precision": r / m if m else None, "recall": h / n if n else None, "exact": e / n if n else None}
        return {"labelled": n, "found": m, **{k: v if v is None else round(v, 4) for k, v in share.items()}}

    return {
        "rows_per_s": round(len(rows) / max(seconds, 1e-9)),
        "overall": shares(kinds),
        "kinds": {name: shares({name}) for name in sorted(kinds)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("labelled", type=Path, nargs="?", default=LABELLED)
    parser.add_argument(
        "--countries", nargs="+", choices=sorted(national.COUNTRIES), default=sorted(national.COUNTRIES)
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = read(arguments.labelled)
    tools, skipped = {"modelmake": score(rows, modelmake(arguments.countries))}, []
    for name, package, peer in (("presidio", "presidio_analyzer", presidio), ("scrubadub", "scrubadub", scrubadub)):
        if importlib.util.find_spec(package) is None:
            skipped.append(name)
            continue
        finder, version = peer()
        tools[name] = {"version": version, **score(rows, finder)}
    if arguments.json:
        print(json.dumps({"rows": len(rows), "tools": tools, "skipped": skipped}))
        return
    for name, tool in tools.items():
        print(f"{name}{' (' + tool['version'] + ')' if 'version' in tool else ''}: {tool['rows_per_s']:,} rows/s")
        for kind, s in {"overall": tool["overall"], **tool["kinds"]}.items():
            precision, recall, exact = (
                "-" if s[k] is None else f"{s[k]:.3f}" for k in ("precision", "recall", "exact")
            )
            print(f"  {kind:12} precision {precision:>5}  recall {recall:>5}  exact {exact:>5}  "
                  f"of {s['labelled']} labelled, {s['found']} found")  # fmt: skip
    for name in skipped:
        print(f"{name}: not installed, skipped")


if __name__ == "__main__":
    main()
