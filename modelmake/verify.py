"""`modelmake verify`: rehashes every declared artifact, names what is wrong and how to mend it."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modelmake import findings, mending, stores, survey
from modelmake.findings import Finding
from modelmake.survey import Survey


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="STAGE", help="only these stages, or stages of these artifacts")
    parser.add_argument("--remote", nargs="?", const="", metavar="NAME", help="also the objects on a remote")
    parser.add_argument(
        "--replace", action="store_true", help="puts right bytes in the place of bad objects of the cache and remote"
    )
    parser.add_argument("--json", action="store_true", help="prints one JSON object")


def run(options: argparse.Namespace) -> int:
    """1 when anything is wrong."""
    root = Path()
    return _check(root, options)


def _check(root: Path, options: argparse.Namespace) -> int:
    cache, default = stores.cache(root), stores.default_remote(root)
    remote = None if options.remote is None else stores.remote(root, options.remote or None)
    found = survey.take(root, options.names, cache, remote)
    replaced = mending.replace(root, found) if options.replace else []
    wrong = findings.findings(root, found)
    if options.replace:  # it is asked for objects alone
        wrong = [finding for finding in wrong if finding.place in found.stores]
    plan = mending.plan(root, found, wrong, default)
    if options.json:
        print(json.dumps(_as_json(found, wrong, plan, replaced), indent=1))
    else:
        print("\n".join(_told(found, wrong, plan, replaced, default)))
    return 1 if wrong else 0


def _told(
    found: Survey, wrong: list[Finding], plan: mending.Plan, replaced: list[str], default: str | None
) -> list[str]:
    lines = [*(f"replaced: {path}" for path in replaced), *map(str, wrong)]
    for place, counted in _counts(found, wrong).items():
        unit = "files" if place in ("workspace", "inputs") else "objects"
        state = f"{counted['wrong']} wrong" if counted["wrong"] else "as dvc.lock says"
        lines.append(f"{place}: {counted['read']:,} {unit}, {counted['bytes'] / 1e6:,.1f} MB: {state}")
    if found.remote is None and default:
        lines.append("remote: not looked at; `modelmake verify --remote` does")
    if plan.commands:
        lines += ["to mend, in this order:", *(f"  {command}" for command in plan.commands)]
    return lines + [f"note: {note}" for note in plan.notes]


def _counts(found: Survey, wrong: list[Finding]) -> dict[str, dict[str, int]]:
    """How much was read of each place, and how much of it is wrong."""
    own = {survey.join(out.path, name) for _, out in found.outs() for name in found.here[out.path] or []}
    places = {
        "workspace": [digest for path, digest in found.workspace.items() if path in own],
        "inputs": [digest for path, digest in found.workspace.items() if path not in own],
        **{store.name: list(read.values()) for store, read, _ in found.copies()},
    }
    return {
        place: {
            "read": sum(digest is not None for digest in read),
            "bytes": sum(digest.size for digest in read if digest is not None),
            "wrong": sum(f.place == place.removesuffix("s") for f in wrong),
        }
        for place, read in places.items()
    }


def _as_json(found: Survey, wrong: list[Finding], plan: mending.Plan, replaced: list[str]) -> dict[str, Any]:
    return {
        "wrong": [asdict(finding) for finding in wrong],
        "read": _counts(found, wrong),
        "mend": plan.commands,
        "notes": plan.notes,
        "replaced": replaced,
    }
