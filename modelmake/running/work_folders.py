"""Where the store keeps what runs of a stage leave to later ones: in the per-machine state folder, by identity."""

from pathlib import Path

from modelmake.running import state_dir

FINISHED, CHECKPOINTS, MEMOS, LOCKS, ARCHIVES = "finished", "checkpoints", "memos", "locks", "archives"  # folders


def folder(root: Path, kind: str, stage: str, identity: str) -> Path:
    """The folder of a kind for an identity, which may not exist."""
    return state_dir.folder(root) / kind / stage / identity


def archive(root: Path, module: str) -> Path:
    """The folder of a stage's archive. Files in it must be written in one step, as other processes may read them."""
    return state_dir.folder(root) / ARCHIVES / module.rpartition(".")[2]
