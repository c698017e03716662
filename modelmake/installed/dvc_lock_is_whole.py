"""Has DVC replace dvc.lock in one step. Installed beside DVC; Python imports it at its start, by the .pth file.

DVC writes the file in place, for a tenth of a second a stage. Killed meanwhile it leaves an empty or torn file, which
the next `dvc repro` refuses to read (docs/decisions/0017). When DVC writes in one step itself, this goes.
"""

import os
import sys
from importlib.util import find_spec

WRITER = "dvc.utils.serialize._common"  # it has `_dump_data`, which writes every YAML file of DVC's


class _Finder:
    """Changes the module when DVC imports it, so that other programs do not import DVC for this."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != WRITER:
            return None
        sys.meta_path.remove(cls)
        spec = find_spec(name)
        execute = spec.loader.exec_module

        def changed(module):
            execute(module)
            module._dump_data = _in_one_step(module._dump_data)

        spec.loader.exec_module = changed
        return spec


def _in_one_step(dump):
    def dump_data(path, *arguments, **options):
        folder, name = os.path.split(os.path.realpath(path))
        if name != "dvc.lock":
            return dump(path, *arguments, **options)
        partial = os.path.join(folder, f".{name}.partial")
        dump(partial, *arguments, **options)
        os.replace(partial, os.path.join(folder, name))

    return dump_data


sys.meta_path.insert(0, _Finder)
