"""The receipts of a folder as bytes, and the command that writes them: `modelmake release receipt`.

The bytes depend on the commit and on the files alone, so that anybody can make them again and compare.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from modelmake.domain import Domain
from modelmake.receipts import released, signing, statement

STATEMENT, BILL, _ = released.OWN


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="with files of the build: those that are released, no others")
    parser.add_argument("--rev", default="HEAD", help="the commit of the build (HEAD if not given)")
    parser.add_argument("--key", metavar="FILE", help="sign the folder with this private key, in PEM")


def of(root: Path, folder: Path, revision: str, domain: Domain) -> dict[str, bytes]:
    """{name: content} of the receipts of a folder.

    Raises:
        UserError: a file is not of that build, or what it was made of is not here.
    """
    found = released.read(root, folder, revision, domain.model_suffixes)
    return {STATEMENT: _json(statement.of(found)), BILL: _json(domain.bill(found))}


def write(root: Path, options: argparse.Namespace) -> list[str]:
    """Writes the receipts into the folder, and the signature if a key is given; returns a line for each."""
    folder = Path(os.path.normpath(options.here / options.folder))
    key = signing.key(options.here / options.key, signing.PRIVATE) if options.key else None
    contents = of(root, folder, options.rev, options.domain)
    (folder / signing.SIGNATURE).unlink(missing_ok=True)  # it would be of other bytes
    for name, content in contents.items():
        partial = folder.parent / f".{folder.name}.{name}.partial"  # beside it: all in the folder is signed
        partial.write_bytes(content)
        os.replace(partial, folder / name)
    lines = [f"{folder / name}: {len(content):,} bytes" for name, content in contents.items()]
    if key is not None:
        lines.append(f"{folder / signing.SIGNATURE}: signs {signing.sign(folder, key)} files")
    return lines


def commit_of(content: bytes) -> str:
    """The commit that a statement names; "" where it is none of ours."""
    try:
        commit = json.loads(content)["predicate"]["buildDefinition"]["externalParameters"]["commit"]
    except (ValueError, KeyError, TypeError):
        return ""
    return commit if isinstance(commit, str) else ""


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
