"""DVC for the rivals of benchmarks/staleness.py: its own command, with dvc.lock kept as JSON, which is YAML too.

DVC reads dvc.lock and writes it anew after every stage, in pure Python. Where stages depend on every module, that took
most of the benchmark's time. Which stages start does not depend on it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from dvc.cli import main
from dvc.utils.serialize import _yaml

parse_yaml = _yaml.parse_yaml


def parse(text: str, path: Any, typ: str = "safe") -> Any:
    if Path(str(path)).name == "dvc.lock":
        try:
            return json.loads(text)
        except ValueError:
            pass  # empty
    return parse_yaml(text, path, typ)


_yaml.parse_yaml, _yaml._dump = parse, json.dump
sys.exit(main())
