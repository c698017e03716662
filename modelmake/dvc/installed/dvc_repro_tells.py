"""A patch of DVC: the last line of `dvc repro` says where a stage made other bytes than git records of the same inputs.

modelmake/dvc/recorded_bytes.py finds them. DVC has no hook for the end of a build.
"""

import os
from pathlib import Path

import dvc_lock_is_whole


def _telling(command):
    """`CmdRepro`, the command."""

    class Repro(command):
        def run(self):
            lock = os.path.join(self.repo.root_dir, "dvc.lock")
            before = _changed_at(lock)
            code = super().run()
            if not (self.args.single_item or self.args.quiet) and _changed_at(lock) != before:
                from modelmake.dvc import recorded_bytes

                if line := recorded_bytes.difference(Path(self.repo.root_dir)):
                    print(line, flush=True)
            return code

    return Repro


def _changed_at(file):
    return os.stat(file).st_mtime_ns if os.path.exists(file) else None


dvc_lock_is_whole.CHANGED["dvc.commands.repro"] = {"CmdRepro": _telling}
