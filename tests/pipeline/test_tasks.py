"""A task of lm-eval by an entry of params.yaml only: a stage of the graph, which runs again when its folder changes."""

import pytest

from modelmake.running import state_dir
from tests.conftest import ROOT, clone, ran
from tests.evaluating.lm_eval.made_up_tasks import CHOICES, write
from tests.tiny_models import build_model
from tests.tool_python import python_of

TASKS = """tasks:
    colours: {metrics: [acc, acc_norm], num_fewshot: 1, seed: 1, apply_chat_template: true, system_instruction: null,
      until: null, max_gen_toks: null, strip_answers: false, max_rows: null, batch_size: 8}
"""


@pytest.mark.slow
def test_a_task_is_answered_in_the_graph(tmp_path_factory: pytest.TempPathFactory) -> None:
    project = clone(tmp_path_factory.mktemp("project"))
    venv = state_dir.tool_environment(project.path, ROOT / "envs/lm_eval")
    venv.parent.mkdir(parents=True)
    venv.symlink_to(python_of("lm_eval").parent.parent)
    code = {"process_docs": "!function utils.process_docs", "utils.py": "def process_docs(docs):\n    return docs\n"}
    write(project.path / "data/lm_eval/colours", CHOICES | code)
    project.edit("params.yaml", "tasks: {}", TASKS.rstrip() + "\n ")
    build_model(project.path / "models/base", max_position_embeddings=512)
    project.repro("-s", "preflight")

    output = project.repro("-s", "lm_eval@base-colours")
    assert ran(output) == ["lm_eval@base-colours"]
    assert "20 questions were among the shots drawn from, and were left out for themselves" in output
    scores = project.json("reports/evaluate/base-colours.json")
    assert (scores["rows"], scores["held_back"]) == (20, 20)
    assert ran(project.repro("-s", "lm_eval@base-colours")) == []

    rows = project.read("data/lm_eval/colours/test.jsonl").replace("number 0?", "no number?")
    project.write("data/lm_eval/colours/test.jsonl", rows)
    assert ran(project.repro("-s", "lm_eval@base-colours")) == ["lm_eval@base-colours"]
    assert "no number?" in project.read("reports/evaluate/base-colours.jsonl")
