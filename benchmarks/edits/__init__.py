"""The edits of benchmarks/staleness.py and tests/pipeline/test_edits.py: one table for each kind."""

from benchmarks.edits import artifacts, code, data, environment, harness, parameters, timing
from benchmarks.edits.edit import Edit

KINDS: dict[str, dict[str, Edit]] = {
    "data": data.EDITS,
    "params": parameters.EDITS,
    "code": code.EDITS,
    "environment": environment.EDITS,
    "harness": harness.EDITS,
    "artifacts": artifacts.EDITS,
    "timing": timing.EDITS,
}
