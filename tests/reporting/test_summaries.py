"""Summaries of stages."""

from stages.reporting import summaries
from stages.reporting.build import Build


def test_a_stage_without_a_summary_has_its_numbers_of_inputs_and_outputs() -> None:
    node = {"module": "stages.mine", "deps": ["keys/mine.json", "a", "b"], "outs": ["c"], "params": []}
    build = Build({"mine": node}, *({} for _ in range(10)))

    assert summaries.summarize(build, "mine") == summaries.Summary("2 inputs", "1 output")
