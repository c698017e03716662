"""Summaries of stages."""

import dataclasses

from stages.reporting import summaries
from stages.reporting.build import Build


def test_a_stage_without_a_summary_has_its_numbers_of_inputs_and_outputs() -> None:
    node = {"module": "stages.mine", "deps": ["keys/mine.json", "a", "b"], "outs": ["c"], "params": []}
    build = Build({"mine": node}, *({} for _ in dataclasses.fields(Build)[1:]))

    assert summaries.summarize(build, "mine") == summaries.Summary("2 inputs", "1 output")


def test_a_stage_that_runs_the_module_of_another_is_not_summarized_as_that_one() -> None:
    node = {"module": "stages.evaluate", "deps": ["keys/evaluate_alternative.few.json", "a"], "outs": ["b", "c"]}
    build = Build({"evaluate_alternative@few": node}, *({} for _ in dataclasses.fields(Build)[1:]))

    assert summaries.summarize(build, "evaluate_alternative@few") == summaries.Summary("1 input", "2 outputs")
