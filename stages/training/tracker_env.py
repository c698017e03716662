"""Becomes the process of one tracker, in its environment, which uv builds from its lock at the first use.

python -m stages.training.tracker_env TRACKER WHERE NAME
"""

import os
import sys
from pathlib import Path

from modelmake.running import state_dir
from stages.training import tracker_process

ROOT = Path(__file__).parents[2]


def main() -> None:
    environment = ROOT / "envs" / sys.argv[1]
    os.environ["UV_PROJECT_ENVIRONMENT"] = str(state_dir.tool_environment(ROOT, environment))
    run = ["uv", "run", "--quiet", "--project", str(environment), "--frozen", "python"]
    os.execvp("uv", [*run, tracker_process.__file__, *sys.argv[1:]])


if __name__ == "__main__":
    main()
