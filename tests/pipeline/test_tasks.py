"""A task of lm-eval by an entry of params.yaml only: answered by every model, in tables, page and gates."""

import shutil

import pytest

from tests.conftest import Project, ran
from tests.evaluating.lm_eval.made_up_tasks import CHOICES, write
from tests.tool_python import python_of

TASKS = """tasks:
    colours: {metrics: [acc, acc_norm], num_fewshot: 1, seed: 1, apply_chat_template: true, system_instruction: null,
      until: null, max_gen_toks: null, strip_answers: false, max_rows: null, batch_size: 8}
"""
GATE = "    colours_stay: {model: dpo, metric: colours.acc, against: base, bound: -0.5, where: null}\n"


@pytest.mark.slow
def test_a_task_is_answered_by_all_models_and_gates_are_on_it(project: Project) -> None:
    python_of("lm_eval")
    write(project.path / "data/lm_eval/colours", CHOICES)
    project.edit("params.yaml", "tasks: {}", TASKS.rstrip())
    project.edit("params.yaml", "  gates:", "  gates:\n" + GATE.rstrip())

    stages = set(ran(project.repro()))

    assert {"lm_eval@base-colours", "lm_eval@sft-colours", "lm_eval@dpo-colours", "compare", "report"} <= stages
    assert not {name for name in stages if name.split("@")[0] in ("train", "answer", "evaluate")}
    for model, scores in project.json("reports/metrics.json").items():
        assert 0 <= scores["colours.acc"] <= 1
        own = project.json(f"reports/evaluate/{model}-colours.json")
        entry = project.json("reports/comparison.json")["colours"][model]["acc"]
        assert (entry["value"], own["rows"], own["held_back"]) == (scores["colours.acc"], 20, 20)
        assert entry["stderr"] == pytest.approx(own["stderr"]["acc"], rel=0.15)
    gate = project.json("reports/gate.json")
    assert (gate["gates"]["colours_stay"]["suite"], gate["suites"]["colours"]["rows"]) == ("colours", 20)
    assert "Suite colours, 20 questions" in project.read("reports/index.html")
    assert ran(project.repro()) == []

    rows = project.read("data/lm_eval/colours/test.jsonl").replace("number 0?", "no number?")
    project.write("data/lm_eval/colours/test.jsonl", rows)
    again = set(ran(project.repro()))
    assert {name for name in again if "@" in name} == {f"lm_eval@{model}-colours" for model in ("base", "sft", "dpo")}

    shutil.rmtree(project.path / "data/lm_eval/colours")
    code, output = project.run("dvc", "repro")
    assert code and "evaluate.tasks.colours: no folder data/lm_eval/colours" in output
