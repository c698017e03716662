"""Variants whose rows are no words, do not exist, or are not held out. Only preflight imports this module."""

from pathlib import Path

from stages.params.cross_checks import TEST_FILES
from stages.params.evaluation import Evaluate
from stages.params.file_checks import NO_WORD

SPLITS = ("data", "splits")  # the folder that split writes


def problems(evaluate: Evaluate | None) -> list[str]:
    """What is wrong, a line each."""
    found = []
    for name, entry in (evaluate.variants if evaluate else {}).items():
        path, where = Path(entry.rows), f"evaluate.variants.{name}.rows = {entry.rows!r}"
        if not entry.rows or NO_WORD.search(entry.rows):
            found.append(f"{where}: want a path without spaces and signs that a shell reads")
        elif path.parts[:2] == SPLITS and (path.parts[2:3] != ("test",) or path.stem not in TEST_FILES):
            found.append(f"{where}: want one of {', '.join(TEST_FILES)}, as data/splits/test/<rows>.jsonl")
        elif path.parts[:2] != SPLITS and not path.is_file():
            found.append(f"{where}: no such file; put chats there")
    return found
