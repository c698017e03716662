"""`modelmake init [FILE…] [--base FOLDER|PIN] [--recipe NAME]`: writes params.yaml.

It is recipes/default.yaml with the changes of a recipe, and over them what is proposed for the files.
"""

import argparse
import contextlib
import difflib
import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelmake import git, params
from modelmake.errors import UserError
from stages.commands import proposed, yaml_text
from stages.preflight import CHAPTERS, FILE, decode
from stages.proposing.proposal import Decision

FOLDER = Path("recipes")
COMMENT_CHARS = 80  # of a reason that is also a comment in params.yaml
MARK = b"# Written by `modelmake init`, which may write it again while this is the SHA-256 of the lines above: "
ABOVE = "recipe"  # first key of a recipe that holds its differences from another one
DEFAULT = FOLDER / "default.yaml"  # all values; every other recipe holds only what differs from it


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="raw files, or folders of them")
    parser.add_argument("--base", type=Path, metavar="FOLDER|PIN", help="model to start from: its folder, or a pin")
    parser.add_argument(
        "--recipe", metavar="NAME", help="in recipes/, or the path of a YAML file; with files: below them"
    )
    parser.add_argument("--force", action="store_true", help="overwrite edits of params.yaml that are not committed")
    parser.add_argument("--dry-run", action="store_true", help="write nothing; show how params.yaml would change")


def run(arguments: argparse.Namespace) -> int:
    if not arguments.files and not arguments.recipe:
        raise UserError("init: found no FILE and no --recipe: want raw data to propose params for, or a recipe's name")
    if arguments.base and not arguments.files:
        raise UserError("init: --base: want files too; a recipe names its own base")
    recipe = find(arguments.recipe, arguments.here) if arguments.recipe else DEFAULT
    text, source = compose(recipe), f"{recipe}" + ("" if recipe == DEFAULT else f" and {_below(recipe, DEFAULT)}")
    if arguments.files:
        below = values(recipe)
        paths, base = ([Path(arguments.here, path).resolve() for path in given]
                       for given in (arguments.files, [arguments.base] if arguments.base else []))  # fmt: skip
        decided = proposed.decisions(paths, base[0] if base else None, below, named=bool(arguments.recipe))
        text = propose(text, below, decided)
        print("\n".join(f"{d.where}: {reason}" for d in decided for reason in d.reason.splitlines()))
        source = f"{len(decided)} proposals and {source}"
    if text.encode() not in _composed():
        text = signed(text)
    if arguments.dry_run:
        old = FILE.read_text("utf-8").splitlines(True) if FILE.exists() else []
        sys.stdout.writelines(difflib.unified_diff(old, text.splitlines(True), str(FILE), "proposed"))
        return 0
    if not arguments.force and not replaceable(FILE):
        raise UserError(
            f"{FILE}: edits that are not committed: {recipe} would overwrite them; commit them, or add --force"
        )
    replace(FILE, text)
    print(f"{FILE}: written from {source}")
    return 0


def propose(text: str, below: dict[str, Any], decided: list[Decision]) -> str:
    """The text of a params.yaml with decisions over its values.

    Raises:
        UserError: the values would not be valid; no fault of the files.
    """
    changes: dict[str, Any] = {}
    for decision in decided:
        section, names = changes, decision.where.split(".")
        for name in names[:-1]:
            section = section.setdefault(name, {})
        section[names[-1]] = decision.value
    target = _checked(merge(changes, below), Path("proposal"))
    lines = [(d.where.split("."), d.value, d.reason if len(d.reason) < COMMENT_CHARS else "") for d in decided]
    return yaml_text.rewrite(text, target, yaml_text.commented(lines))


def find(name: str, here: Path) -> Path:
    """The recipe of that name in recipes/, or the file at that path.

    Raises:
        UserError: there is none.
    """
    path = Path(here, name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    path = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in FOLDER.glob("*.yaml")))
        raise UserError(f"{path}: no such file: want one of {names}, or the path of a YAML file; name another recipe")
    return path


def compose(recipe: Path, default: Path = DEFAULT) -> str:
    """The text of a recipe's params.yaml.

    Raises:
        UserError: the recipe or the default has problems; all are named.
    """
    target = values(recipe, default)
    if recipe == default:
        return default.read_text("utf-8")
    return yaml_text.rewrite(compose(_below(recipe, default), default), target, recipe.read_text("utf-8"))


def values(recipe: Path, default: Path = DEFAULT) -> dict[str, Any]:
    """The values of a recipe's params.yaml, checked against the types of params."""
    changes = params.load(recipe)
    if recipe == default:
        return _checked(changes, default)
    complete = values(_below(recipe, default), default)
    changes.pop(ABOVE, None)
    return _checked(merge(changes, complete), recipe)


def _below(recipe: Path, default: Path) -> Path:
    """The recipe whose differences come first: the one that this recipe names, else the default.

    Raises:
        UserError: there is none of that name, or it stands above another recipe itself.
    """
    name = params.load(recipe).get(ABOVE)
    below = default if name is None else recipe.with_name(f"{name}.yaml")
    if not below.is_file():
        raise UserError(f"{recipe}: {ABOVE} = {name!r}: no {below}: want the name of a recipe beside it")
    if below != default and ABOVE in params.load(below):
        raise UserError(f"{recipe}: {ABOVE} = {name!r}: names another recipe itself: want one that does not")
    return below


def merge(changes: dict[str, Any], complete: dict[str, Any]) -> dict[str, Any]:
    """All sections, those of `changes` merged onto those of `complete`."""
    merged = {name: params.merge(CHAPTERS.get(name), complete.get(name), change) for name, change in changes.items()}
    return {**complete, **merged}


def _checked(sections: dict[str, Any], path: Path) -> dict[str, Any]:
    if problems := decode(sections)[1]:
        raise UserError("\n".join(f"{path}{problem.removeprefix(str(FILE))}" for problem in problems))
    return sections


def signed(text: str) -> str:
    """The text with a last line that tells whether the others were edited since."""
    return f"{text}{MARK.decode()}{hashlib.sha256(text.encode()).hexdigest()}\n"


def replaceable(file: Path) -> bool:
    """True if no edit is lost with the file: it is absent, as HEAD or a recipe has it, or as `signed` left it."""
    if not file.exists():
        return True
    content = file.read_bytes()
    above, _, digest = content.rpartition(MARK)
    if digest.decode(errors="replace").strip() == hashlib.sha256(above).hexdigest() or content in _composed():
        return True
    return content == next(git.contents(Path(), [f"HEAD:./{file}"]))


def _composed() -> Iterator[bytes]:
    """The params.yaml of each recipe in recipes/; recipes with errors are left out."""
    for recipe in sorted(FOLDER.glob("*.yaml")):
        with contextlib.suppress(UserError):
            yield compose(recipe).encode()


def replace(file: Path, text: str) -> None:
    """Writes the file whole or not at all."""
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, "utf-8")
    os.replace(partial, file)
