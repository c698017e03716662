"""`modelmake release`: promotes a version, rolls back, lists, pulls a version to any place, writes receipts."""

import argparse
import json
from pathlib import Path

from modelmake.receipts import documents
from modelmake.releasing import decisions, listing, pulling, tags


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="action")

    def action(name: str, purpose: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
        added.set_defaults(action=name, anywhere=name == "pull")
        return added

    promote = action("promote", "puts a version into a stage; registers it at HEAD if it is new")
    promote.add_argument("version", metavar="[NAME@]VERSION", help="v1.2.0; with a name if there are several artifacts")
    promote.add_argument("stage", choices=tags.STAGES)
    rollback = action("rollback", "gives a stage the version that it had before")
    rollback.add_argument("stage", metavar="[NAME@]STAGE")
    shown = action("list", "what is where, since when, by the tags of this clone")
    shown.add_argument("artifact", nargs="?", default="", metavar="NAME")
    shown.add_argument("--json", action="store_true", help="print one JSON object, with the history of each stage")
    pull = action("pull", "brings a version to a folder, without a clone; run it anywhere")
    pull.add_argument("release", metavar="NAME@STAGE|VERSION")
    pull.add_argument("folder", nargs="?", metavar="DIR", help="NAME if not given")
    documents.arguments(action("receipt", "says what the files of a folder were made of, and signs the folder"))
    pull.add_argument("--from", required=True, dest="source", metavar="GITURL", help="the project's repository")


def run(options: argparse.Namespace) -> int:
    root = Path()
    if options.action == "promote":
        lines = decisions.promote(root, options.domain, options.version, options.stage)
    elif options.action == "rollback":
        lines = decisions.rollback(root, options.stage)
    elif options.action == "receipt":
        lines = documents.write(root, options)
    elif options.action == "pull":
        lines = pulling.pull(options.release, options.source, options.here, options.folder)
    else:
        found = listing.facts(root, options.domain, options.artifact)
        lines = [json.dumps(found, indent=1)] if options.json else listing.text(found)
    print("\n".join(lines))
    return 0
