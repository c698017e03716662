"""Folders with one file for each item: files left by items that params.yaml no longer declares are errors."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from modelmake.errors import UserError


def check(folder: Path, names: Iterable[str]) -> None:
    """Checks that a folder holds only files of these items. A file's name up to the first dot is its item.

    Raises:
        UserError: files of other items.
    """
    expected = set(names)
    strays = sorted(p.name for p in folder.iterdir() if p.name.split(".")[0] not in expected and p.name[0] != ".")
    if strays:
        raise UserError(
            f"{folder}: {', '.join(strays)}: left by items that params.yaml no longer declares: "
            f"want only {', '.join(sorted(expected))}; `rm {' '.join(f'{folder}/{name}' for name in strays)}`"
        )


def check_outputs(folder: Path, outs: Iterable[str]) -> None:
    """Checks that a folder of outputs holds, at any depth, only outs of the graph.

    Raises:
        UserError: other files or folders.
    """
    expected = [Path(out) for out in outs]
    if strays := list(_strays(folder, expected)):
        raise UserError(
            f"{folder}: {', '.join(strays)}: left by items that params.yaml no longer declares: want only outputs of "
            f"the graph; `rm -r {' '.join(strays)}`"
        )


def _strays(folder: Path, expected: list[Path]) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        if path in expected or path.name.startswith("."):
            continue
        if any(out.is_relative_to(path) for out in expected):
            yield from _strays(path, expected)
        else:
            yield str(path)
