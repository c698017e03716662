"""Which code of the harness is in the keys.

The harness runs every stage, so each edit of it would make every stage stale. What decides what `main` sees is in every
key: its arguments, the files in its folder, the environment of its libraries. It is all that DECIDING reaches. What
CARRYING lists is in no key: it moves files, hashes, compares, logs and watches, and `main` is given the same with or
without it. A stage that itself imports one of those modules has it in its key nevertheless.

tests/modelmake/keys/test_carrying.py holds both tables against the code.
"""

from collections.abc import Mapping
from typing import NamedTuple

ENTRIES = {  # {symbol of the harness that stages call: what it does}; who uses more has the whole harness in its key
    "modelmake.harness.run": "runs a stage",
    "modelmake.running.opened_files.watch": "begins to note which files are opened",
}
DECIDING = {  # {symbol through which the harness decides what `main` sees: what that is}
    "modelmake.running.arguments.read": "its arguments: flags and parameters, as read and typed",
    "modelmake.running.arguments.values": "the parameters by which earlier work is found",
    "modelmake.running.main_call.links": "the files in its folder that are no inputs",
    "modelmake.running.main_call.identities": "the checkpoints and memos that it goes on with",
    "modelmake.running.main_call.prepare": "the environment of its libraries, and the order of its imports",
    "modelmake.running.main_call.call": "the call itself, and the folders that earlier runs left",
    "modelmake.running.workers.joined": "which of several processes it runs in",
    "modelmake.running.workers.own_share": "the threads of one of several processes",
    "modelmake.running.workers.take_part": "what its libraries read of the others, and where it prints",
    "modelmake.running.sandbox_layout.fill": "the files in its folder",
    "modelmake.running.sandbox_layout.inside": "its current folder",
    "modelmake.running.sandbox_layout.measured": "the hashes of its inputs, which it may ask for",
}
CARRYING = {  # {module or package: why `main` sees the same, whatever is in it}
    "modelmake.harness": "the order of the steps of a run, what is refused, and in which words",
    "modelmake.param_problems": "says what is wrong with parameters; right ones are converted elsewhere",
    "modelmake.keys": "computes keys; what it finds is in them",
    "modelmake.running.disk_full": "the words about a full disk",
    "modelmake.running.edited_packages": "describes the packages of the machine in the run log",
    "modelmake.running.environment": "refuses what contradicts parameters, and describes the rest in the run log",
    "modelmake.running.ignored_files": "refuses inputs without a hash",
    "modelmake.running.jsonl_log": "writes log files",
    "modelmake.running.launcher": "starts the stage's program in several processes, and watches them",
    "modelmake.running.library_folders": "the folders of installed code, which is known by its locked versions",
    "modelmake.running.locks": "lets one process at a time work",
    "modelmake.running.opened_files": "watches which files are opened",
    "modelmake.running.platform": "describes the machine in the run log",
    "modelmake.running.run_log": "writes the run log",
    "modelmake.running.sandbox": "checks and hashes inputs, and removes the folder at the end",
    "modelmake.running.state_dir": "the path of the per-machine state folder",
    "modelmake.running.supervision": "watches processes",
    "modelmake.running.work_store": "moves finished outputs",
}


PACKAGES = {"psutil": "watches processes"}  # that carrying code alone imports


class Cut(NamedTuple):
    """What of a harness is in the keys: all that `deciding` reaches, without the modules of `carrying`."""

    entries: Mapping[str, str] = ENTRIES
    deciding: Mapping[str, str] = DECIDING
    carrying: Mapping[str, str] = CARRYING

    @property
    def entered(self) -> list[str]:
        """The modules of the entries."""
        return sorted({entry.rpartition(".")[0] for entry in self.entries})

    def carries(self, module: str) -> bool:
        """True for a module that carries, or is in a package that does."""
        return any(module == name or module.startswith(f"{name}.") for name in self.carrying)


CUT = Cut()
