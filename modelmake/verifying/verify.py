"""`modelmake verify`: hashes every declared artifact, names what is wrong and how to mend it; or what a file is."""

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from modelmake.dvc import stores
from modelmake.errors import UserError
from modelmake.receipts import checking
from modelmake.running import platform
from modelmake.verifying import clone, mending, probe_acceptances, proofs, rebuild, survey
from modelmake.verifying.findings import Finding, findings
from modelmake.verifying.proofs import Level
from modelmake.verifying.survey import Survey


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="STAGE|FILE",
        help="only these stages, or the stages of these artifacts; or which model a file or folder found anywhere is",
    )  # fmt: skip
    parser.add_argument("--signature", metavar="KEY", help="check the signature in a found folder by this public key")
    parser.add_argument("--remote", nargs="?", const="", metavar="NAME", help="rehash the objects on a remote too")
    parser.add_argument("--replace", action="store_true", help="replace bad objects by right bytes of this machine")
    parser.add_argument("--rebuild", action="store_true", help="rebuild HEAD in a clean clone and compare the bytes")
    parser.add_argument("--tolerance", type=float, metavar="X", help="with --rebuild: how far apart numbers may be")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    """1 if anything is wrong, or was not rebuilt to the recorded bytes or within the tolerance; else 0."""
    if options.rebuild and (options.remote is not None or options.replace):
        raise UserError("--rebuild: looks at no remote and replaces nothing: leave out --remote and --replace")
    if options.tolerance is not None and not options.rebuild:
        raise UserError("--tolerance: works with --rebuild only: else bytes are the same or not")
    if paths := checking.found(Path(), options):
        return checking.run(Path(), paths, options)
    return _rebuild(Path(), options) if options.rebuild else _rehash(Path(), options)


def _rehash(root: Path, options: argparse.Namespace) -> int:
    default, folder = stores.default_remote(root)
    remote = None if options.remote is None else stores.remote(root, options.remote or None)
    surveyed = survey.read(root, options.names, stores.cache(root), remote)
    replaced = mending.replace(root, surveyed) if options.replace else []
    wrong = findings(root, surveyed)
    if options.replace:  # it is asked for objects alone
        wrong = [finding for finding in wrong if finding.place in (store.name for store, _, _ in surveyed.stores())]
    plan = mending.plan(root, surveyed, wrong, default, folder)
    levels = proofs.levels(root, surveyed.selected)
    accepted = probe_acceptances.unproven(root, {name: node.digest for name, node in surveyed.selected.items()})
    if options.json:
        proven = {path: asdict(level) for path, level in levels.items()}
        print(json.dumps(_as_json(surveyed, wrong, plan, replaced) | {
            "proven": proven, "accepted": {name: asdict(a) for name, a in accepted.items()},
        }, indent=1))  # fmt: skip
    else:
        accepted_lines = [f"{name}: {probe_acceptances.in_words(root, a)}" for name, a in accepted.items()]
        print("\n".join([*_lines(surveyed, wrong, plan, replaced, default), *_proven(levels), *accepted_lines]))
    return 1 if wrong else 0


def _rebuild(root: Path, options: argparse.Namespace) -> int:
    output = sys.stderr if options.json else sys.stdout
    rebuilt = rebuild.run(root, options.names, options.tolerance or 0.0, output, options.domain.compare)
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
                f"the clone is kept: {rebuilt.kept}; artifacts that differ are in {clone.ASIDE}; remove it afterwards"
            )
        print("\n".join(lines))
    return 0 if {*outcomes} <= {proofs.SAME, proofs.NEAR} else 1


def _proven(levels: dict[str, Level]) -> list[str]:
    """The number of artifacts at each level, and a line for each that has other bytes."""
    counts = Counter(level.level or "not rebuilt yet" for level in levels.values())
    lines = [f"proven: {', '.join(f'{name} {count}' for name, count in counts.items())}"]
    for path, level in levels.items():
        if level.level in ("within tolerance", "different"):
            place = max(level.bounds, key=level.bounds.get, default="")
            distance = f": at most {level.bounds[place]:.3g} apart ({place})" if place else ""
            lines.append(f"  {path}: {level.level}{distance}; rebuilt on {platform.short(level.stacks[0])}")
    return lines


def _lines(
    surveyed: Survey, wrong: list[Finding], plan: mending.Plan, replaced: list[str], default: str | None
) -> list[str]:
    lines = [*(f"replaced: {path}" for path in replaced), *map(str, wrong)]
    for place, counts in _counts(surveyed, wrong).items():
        unit = "files" if place in ("workspace", "inputs") else "objects"
        state = f"{counts['wrong']} wrong" if counts["wrong"] else "as dvc.lock says"
        lines.append(f"{place}: {counts['read']:,} {unit}, {counts['bytes'] / 1e6:,.1f} MB: {state}")
    if surveyed.remote_store is None and default:
        lines.append("remote: not looked at; `modelmake verify --remote` does")
    if plan.commands:
        lines += ["to mend, in this order:", *(f"  {command}" for command in plan.commands)]
    return lines + [f"note: {note}" for note in plan.notes]


def _counts(surveyed: Survey, wrong: list[Finding]) -> dict[str, dict[str, int]]:
    """{place: files or objects read, their bytes, number of findings}."""
    own = {survey.join(out.path, name) for _, out in surveyed.outs() for name in surveyed.present[out.path] or []}
    places = {
        "workspace": [digest for path, digest in surveyed.workspace.items() if path in own],
        "inputs": [digest for path, digest in surveyed.workspace.items() if path not in own],
        **{store.name: list(digests.values()) for store, digests, _ in surveyed.stores()},
    }
    return {
        place: {
            "read": sum(digest is not None for digest in digests),
            "bytes": sum(digest.size for digest in digests if digest is not None),
            "wrong": sum(finding.place == place.removesuffix("s") for finding in wrong),
        }
        for place, digests in places.items()
    }


def _as_json(surveyed: Survey, wrong: list[Finding], plan: mending.Plan, replaced: list[str]) -> dict[str, Any]:
    return {
        "wrong": [asdict(finding) for finding in wrong],
        "read": _counts(surveyed, wrong),
        "mend": plan.commands,
        "notes": plan.notes,
        "replaced": replaced,
    }
