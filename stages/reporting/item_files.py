"""Folders that gather one file an item: what an item left behind is named, never read."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from modelmake.errors import UserError


def check(folder: Path, names: Iterable[str]) -> None:
    """Holds a folder against the names of the files (without their last suffixes) that it may have.

    Raises:
        UserError: files of items that `params.yaml` no longer declares.
    """
    wanted = set(names)
    stray = sorted(p.name for p in folder.iterdir() if p.name.split(".")[0] not in wanted and p.name[0] != ".")
    if stray:
        raise UserError(
            f"{folder}: {', '.join(stray)}: left by items that params.yaml no longer declares: "
            f"want only {', '.join(sorted(wanted))}; `rm {' '.join(f'{folder}/{name}' for name in stray)}`"
        )


def declared(folder: Path, outs: Iterable[str]) -> None:
    """Holds a folder of outputs, at any depth, against those that the graph declares.

    Raises:
        UserError: outputs of items that `params.yaml` no longer declares.
    """
    wanted = [Path(out) for out in outs]
    if stray := list(_strays(folder, wanted)):
        raise UserError(
            f"{folder}: {', '.join(stray)}: left by items that params.yaml no longer declares: want only outputs of "
            f"the graph; `rm -r {' '.join(stray)}`"
        )


def _strays(folder: Path, wanted: list[Path]) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        if path in wanted or path.name.startswith("."):
            continue
        if any(out.is_relative_to(path) for out in wanted):
            yield from _strays(path, wanted)
        else:
            yield str(path)
