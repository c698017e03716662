"""What decided and what carried in the harness as it was laid out earlier: today's rule, in the names of then.

Of modules that decide today, `carrying` names those symbols that stood among them and only check, lock, hash or put
words together, and `lines` such lines of modules that decide: they take the lock of a sandbox, and list what was
imported for the check after `main`.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from modelmake.keys.carrying import CARRYING, CUT, Cut

RUN = {"modelmake.harness.run": "runs a stage"}
PARAMETER_WORDS = {f"modelmake.params.{name}" for name in (
    "NAME", "_kind", "_literals", "_message", "_problems", "_struct_problems", "_wanted",
)}  # fmt: skip


class Layout(NamedTuple):
    """A harness: modules and roots as in today's tables, and symbols that count as little as a carrying module."""

    cut: Cut
    carrying: Collection[str] = ()
    lines: Mapping[str, Collection[str]] = {}  # {file: lines without indentation}


def sandbox(module: str, *names: str) -> set[str]:
    return {f"{module}.{name}" for name in ("Sandbox", "_md5", *names)}


# modelmake/running/, modelmake/keys/; but one harness.py
ROOMS = Layout(
    Cut(
        RUN,
        {
            "modelmake.harness._read_stage": "arguments", "modelmake.harness._values": "identities",
            "modelmake.harness._folders": "folders of earlier runs", "modelmake.harness._import_all": "imports",
            "modelmake.harness._call": "threads, the call", "modelmake.running.sandbox.enter": "files in the folder",
            "modelmake.identity.identity": "identities",
        },
        {
            name: why for name, why in CARRYING.items()
            if name not in ("modelmake.harness", "modelmake.param_problems", "modelmake.running.sandbox")
        } | {"modelmake.artifacts": "hashes, which no stage asked for"},
    ),
    PARAMETER_WORDS
    | sandbox("modelmake.running.sandbox", "_file_status", "_lock")
    | {"modelmake.harness."},
    {
        "modelmake/harness.py": (
            "def _first_party_modules() -> set[str]:", '"""The first-party modules that this process has imported."""',
            'return {name for name in sys.modules if name.partition(".")[0] in stage_key.FIRST_PARTY}',
        ),
    },
)  # fmt: skip

# Every module beside harness.py
FLAT_DECIDING = {
    "modelmake.harness._read": "arguments", "modelmake.harness._values": "identities",
    "modelmake.harness._load": "imports", "modelmake.harness._work": "threads, the call",
    "modelmake.sandbox.enter": "files in the folder", "modelmake.identity.identity": "identities",
}  # fmt: skip
FLAT_CARRYING = {
    "modelmake.artifacts": "hashes", "modelmake.imports": "keys", "modelmake.kept": "finished work",
    "modelmake.keys": "keys", "modelmake.locks": "locks", "modelmake.machine": "path of the state folder",
    "modelmake.reach": "keys", "modelmake.stack": "run log", "modelmake.supervision": "watches processes and files",
    "modelmake.symbols": "keys",
}  # fmt: skip
FLAT_WORDS = PARAMETER_WORDS | sandbox("modelmake.sandbox", "_hold", "_status") | {
    f"modelmake.harness.{name}" for name in ("", "_key", "_key_file", "chosen")
}  # fmt: skip
CARRYING_LINES = {
    "modelmake/harness.py": (
        "def _loaded() -> set[str]:", '"""The first-party modules that really run here."""',
        'return {name for name in sys.modules if name.partition(".")[0] in keys.FIRST_PARTY}',
    ),
    "modelmake/sandbox.py": (
        "folder.parent.mkdir(parents=True, exist_ok=True)", '_hold(folder.with_name(f"{stage}.lock"), stage)',
    ),
}  # fmt: skip
FLAT = Layout(Cut(RUN, FLAT_DECIDING, FLAT_CARRYING), FLAT_WORDS, CARRYING_LINES)
FLAT_WITH_MEMOS = Layout(
    Cut(RUN, FLAT_DECIDING | {"modelmake.harness._folders": "folders of earlier runs"}, FLAT_CARRYING), FLAT_WORDS,
    CARRYING_LINES,
)  # fmt: skip

# Before sandboxes: temporary names of outputs were arguments
FIRST = Layout(
    Cut(
        RUN,
        {
            "modelmake.harness._read": "arguments", "modelmake.harness._parameters": "parameters",
            "modelmake.harness.offline": "environment of the libraries",
        },
        {
            "modelmake.artifacts": "hashes", "modelmake.keys": "keys", "modelmake.machine": "path of the state folder",
            "modelmake.supervision": "watches processes",
        },
    ),
    PARAMETER_WORDS,
)  # fmt: skip

LAYOUTS = (Layout(CUT), ROOMS, FLAT_WITH_MEMOS, FLAT, FIRST)  # a commit has the first whose deciding symbols it has
