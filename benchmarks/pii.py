"""How well personal data is found: precision and recall by kind on texts labelled by hand, ours beside peers.

A line of the file is {"text", "spans": [{"start", "end", "kind"}]}. A find is right where it overlaps a label of its
kind, a label is found where a find of its kind overlaps it; `exact` is the share of labels with a find of the same
bounds. Kinds that the file never labels do not count. Peers that are not installed are named and skipped:

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

SAME = {  # kinds by other names
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
    return SAME.get(lower, lower)


def read(path: Path) -> list[Row]:
    """The labelled rows."""
    found = []
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
        found.append(Row(value["text"], spans))
    if not found:
        sys.exit(f"{path}: no rows: want at least one")
    return found


def ours(countries: list[str]) -> Finder:
    kinds = [kind for kind in pii.KINDS if kind not in pii.BY_PRESIDIO]
    return lambda text: pii.find(text, kinds, countries)


def presidio() -> tuple[Finder, str]:
    """Presidio as it comes, with the largest English model that is installed; without one, its patterns alone."""
    from stages.params.cleaning import Presidio
    from stages.pii import presidio as engine

    name = next((m for m in MODELS if importlib.util.find_spec(m)), None)
    model = name and f"{name}=={importlib.import_module(name).__version__}"
    analyzer = engine.engine(Presidio(language="en", model=model, min_score=0.0))

    def find(text: str) -> list[pii.Span]:
        results = analyzer.analyze(text, "en")  # its own threshold
        named = ((r.start, r.end, engine.KIND.get(r.entity_type), r.entity_type) for r in results)
        return [pii.Span(s, e, kind or "national_id") for s, e, kind, entity in named
                if kind or entity in engine.NATIONAL]  # fmt: skip

    return find, model or "no model"


def scrubadub() -> tuple[Finder, str]:
    import scrubadub as package

    scrubber = package.Scrubber()

    def find(text: str) -> list[pii.Span]:
        filths = [f for found in scrubber.iter_filth(text) for f in getattr(found, "filths", [found])]
        return [pii.Span(f.beg, f.end, kind_of(f.type)) for f in filths]

    return find, package.__version__


def overlap(a: pii.Span, b: pii.Span) -> bool:
    return a.kind == b.kind and a.start < b.end and b.start < a.end


def scored(rows: list[Row], finder: Finder) -> dict[str, Any]:
    """{rows_per_s, overall, kinds} of a tool."""
    labelled, found, right, hit, exact = (Counter() for _ in range(5))
    kinds = {span.kind for row in rows for span in row.spans}
    finder("warm @ 1")  # patterns, models and caches are made at the first text
    began = time.process_time()
    results = [[span for span in finder(row.text) if span.kind in kinds] for row in rows]
    seconds = time.process_time() - began
    for row, spans in zip(rows, results, strict=True):
        for span in spans:
            found[span.kind] += 1
            right[span.kind] += any(overlap(span, label) for label in row.spans)
        for label in row.spans:
            labelled[label.kind] += 1
            hit[label.kind] += any(overlap(span, label) for span in spans)
            exact[label.kind] += label in spans

    def score(names: set[str]) -> dict[str, Any]:
        n, f = (sum(counter[name] for name in names) for counter in (labelled, found))
        r, h, e = (sum(counter[name] for name in names) for counter in (right, hit, exact))
        share = {"precision": r / f if f else None, "recall": h / n if n else None, "exact": e / n if n else None}
        return {"labelled": n, "found": f, **{k: v if v is None else round(v, 4) for k, v in share.items()}}

    return {
        "rows_per_s": round(len(rows) / max(seconds, 1e-9)),
        "overall": score(kinds),
        "kinds": {name: score({name}) for name in sorted(kinds)},
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
    tools, skipped = {"modelmake": scored(rows, ours(arguments.countries))}, []
    for name, package, peer in (("presidio", "presidio_analyzer", presidio), ("scrubadub", "scrubadub", scrubadub)):
        if importlib.util.find_spec(package) is None:
            skipped.append(name)
            continue
        finder, version = peer()
        tools[name] = {"version": version, **scored(rows, finder)}
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
