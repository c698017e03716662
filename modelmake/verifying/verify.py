"""`modelmake verify`: rehashes every declared artifact, names what is wrong and how to mend it."""

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modelmake.dvc import stores
from modelmake.errors import UserError
from modelmake.running import platform
from modelmake.verifying import findings, mending, proofs, rebuild, survey
from modelmake.verifying.findings import Finding
from modelmake.verifying.proofs import Level
from modelmake.verifying.survey import Survey


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="STAGE", help="only these stages, or the stages of these artifacts")
    parser.add_argument("--remote", nargs="?", const="", metavar="NAME", help="rehash the objects on a remote too")
    parser.add_argument("--replace", action="store_true", help="put right bytes in the place of bad objects")
    parser.add_argument("--rebuild", action="store_true", help="rebuild HEAD in a clean clone and compare the bytes")
    parser.add_argument("--tolerance", type=float, metavar="X", help="with --rebuild: numbers may be so far apart")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """1 when anything is wrong, or was not rebuilt to the recorded bytes or within the tolerance."""
    if options.rebuild and (options.remote is not None or options.replace):
        raise UserError("--rebuild: looks at no remote and replaces nothing: leave out --remote and --replace")
    if options.tolerance is not None and not options.rebuild:
        raise UserError("--tolerance: want it with --rebuild only: rehashed bytes are the same or not")
    return _rebuild(Path(), options) if options.rebuild else _rehash(Path(), options)


def _rehash(root: Path, options: argparse.Namespace) -> int:
    default, folder = stores.default_remote(root)
    remote = None if options.remote is None else stores.remote(root, options.remote or None)
    found = survey.take(root, options.names, stores.cache(root), remote)
    replaced = mending.replace(root, found) if options.replace else []
    wrong = findings.findings(root, found)
    if options.replace:  # it is asked for objects alone
        wrong = [finding for finding in wrong if finding.place in (store.name for store, _, _ in found.copies())]
    plan = mending.plan(root, found, wrong, default, folder)
    levels = proofs.levels(root, found.chosen)
    if options.json:
        told = _as_json(found, wrong, plan, replaced) | {"proven": {path: asdict(v) for path, v in levels.items()}}
        print(json.dumps(told, indent=1))
    else:
        print("\n".join([*_told(found, wrong, plan, replaced, default), *_proven(levels)]))
    return 1 if wrong else 0


def _rebuild(root: Path, options: argparse.Namespace) -> int:
    talk = sys.stderr if options.json else sys.stdout
    rebuilt = rebuild.run(root, options.names, options.tolerance or 0.0, talk, options.domain.compare)
    levels = proofs.levels(root, {proof.stage: rebuilt.nodes[proof.stage] for proof in rebuilt.proofs})
    outcomes = [outcome for proof in rebuilt.proofs for outcome in proof.outcome.values()]
    if options.json:
        print(json.dumps({
            "commit": rebuilt.commit, "kept": rebuilt.kept and str(rebuilt.kept),
            "rebuilt": [asdict(proof) for proof in rebuilt.proofs],
            "proven": {path: asdict(level) for path, level in levels.items()},
        }, indent=1))  # fmt: skip
    else:
        lines = [f"rebuilt {rebuilt.commit[:12]}: {len(outcomes)} artifacts", *_proven(levels)]
        if rebuilt.kept:
            lines.append(
                f"kept for a look: {rebuilt.kept}, with what came out different in {rebuild.ASIDE}; remove it then"
            )
        print("\n".join(lines))
    return 0 if {*outcomes} <= {proofs.SAME, proofs.NEAR} else 1


def _proven(levels: dict[str, Level]) -> list[str]:
    """How many artifacts are proven to which level; by name those that are not the same bytes."""
    counts = Counter(level.level or "not rebuilt yet" for level in levels.values())
    lines = [f"proven: {', '.join(f'{name} {count}' for name, count in counts.items())}"]
    for path, level in levels.items():
        if level.level in ("within tolerance", "different"):
            place = max(level.bounds, key=level.bounds.get, default="")
            far = f": at most {level.bounds[place]:.3g} apart ({place})" if place else ""
            lines.append(f"  {path}: {level.level}{far}; rebuilt on {platform.short(level.stacks[0])}")
    return lines


def _told(
    found: Survey, wrong: list[Finding], plan: mending.Plan, replaced: list[str], default: str | None
) -> list[str]:
    lines = [*(f"replaced: {path}" for path in replaced), *map(str, wrong)]
    for place, counted in _counts(found, wrong).items():
        unit = "files" if place in ("workspace", "inputs") else "objects"
        state = f"{counted['wrong']} wrong" if counted["wrong"] else "as dvc.lock says"
        lines.append(f"{place}: {counted['read']:,} {unit}, {counted['bytes'] / 1e6:,.1f} MB: {state}")
    if found.remote_store is None and default:
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
