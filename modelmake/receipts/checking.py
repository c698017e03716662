"""`modelmake verify` of files and folders found anywhere: which model they are, and whether they are signed."""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from modelmake.dvc import graph
from modelmake.errors import UserError
from modelmake.receipts import identified, signing
from modelmake.receipts.identified import Identified
from modelmake.tracing.history import History
from modelmake.verifying import proofs, rebuild, survey


def found(root: Path, options: argparse.Namespace) -> dict[str, Path]:
    """{argument: path} of the arguments that are files or folders, not stages or artifacts of dvc.yaml.

    Of those that are artifacts, `names` gets the paths from the project's root.

    Raises:
        UserError: there are arguments of both kinds, or a signature is to be checked of what is no folder.
    """
    paths = {name: Path(os.path.normpath(options.here / name)) for name in options.names}
    there = {name: path for name, path in paths.items() if path.exists()}
    if options.signature:
        if not there or any(not path.is_dir() for path in paths.values()):
            raise UserError("--signature: checks folders of releases: want their paths, with the signature in each")
        return there
    if not there:
        return {}
    nodes = graph.recorded(root)
    outs = [out.path for node in nodes.values() for out in node.outs]
    placed = {name: os.path.relpath(path, root.absolute()) for name, path in there.items() if name not in nodes}
    foreign = {
        name: there[name] for name, place in placed.items() if not any(survey.is_within(place, out) for out in outs)
    }
    if foreign and len(foreign) < len(paths):
        own = ", ".join(name for name in paths if name not in foreign)
        raise UserError(f"{own}: of this build, others are found files: want one kind at a time")
    if not foreign:
        options.names = [placed.get(name, name) for name in options.names]
    return foreign


def run(root: Path, paths: dict[str, Path], options: argparse.Namespace) -> int:
    """Prints what the files and folders are; 1 if anything differs from its build, or from its signature."""
    if options.remote is not None or options.replace or options.tolerance is not None:
        raise UserError("--remote, --replace, --tolerance: for artifacts of this build: leave them out for found files")
    signatures: dict[Path, list[str]] = {}
    if options.signature:
        key = signing.key(options.here / options.signature, signing.PUBLIC)
        signatures = signing.check(list(paths.values()), key)
    history = History(root)
    results = [identified.read(root, path, name, history, options.domain) for name, path in paths.items()]
    for result in results:
        if signatures:
            problems = signatures[paths[result.asked]]
            result.wrong += [f"signature: {problem}" for problem in problems]
            result.notes += [] if problems else ["signed: every byte, by this key"]
    rebuilt = _rebuilt(root, results, options) if options.rebuild else {}
    if options.json:
        print(json.dumps({"found": [asdict(result) for result in results], "rebuilt": rebuilt}, indent=1))
    else:
        print("\n".join(line for result in results for line in result.lines))
    same = all(outcome == proofs.SAME for outcomes in rebuilt.values() for outcome in outcomes.values())
    return 1 if not same or any(result.wrong for result in results) else 0


def _rebuilt(root: Path, results: list[Identified], options: argparse.Namespace) -> dict[str, dict[str, str]]:
    """{stage of a commit: {output: outcome}} of the stages that the files are from, run again on recorded inputs."""
    output = sys.stderr if options.json else sys.stdout
    matches = [match for r in results for match in [*r.matches.values(), *r.nearest.values()]]
    if loose := sorted({match.path for match in matches if not match.commit}):
        raise UserError(f"--rebuild: {', '.join(loose)}: of a build without a commit: commit the build first")
    outcomes = {}
    for stage, commit in sorted({(match.stage, match.commit) for match in matches}):
        for proof in rebuild.run(root, [stage], 0.0, output, options.domain.compare, commit).proofs:
            outcomes[f"{proof.stage} of {commit[:10]}"] = proof.outcome
    return outcomes
