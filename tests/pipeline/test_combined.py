"""Adapters of the graph made one by entries of params.yaml only: evaluated, trained on, and traced to both steps."""

import json

import pytest

from tests.conftest import Project, ran
from tests.pipeline.test_trace_built import commit, trace

COMBINE = """combine:
  both:
    from: sft
    adapters: [dpo, tone]
    weights: [0.5, 0.25]
    method: cat
    svd_rank: null
    density: null
    majority_sign_method: null
    seed: null
    quantization: null
"""


@pytest.mark.slow
def test_a_combination_is_built_by_params_alone_and_traced_to_the_rows_of_both_steps(project: Project) -> None:
    text = project.read("params.yaml")
    dpo = text[text.index("  dpo:\n    method") : text.index("combine: {}")]
    tone = dpo.replace("  dpo:", "  tone:").replace("seed: 42", "seed: 7")
    more = dpo.replace("  dpo:", "  more:").replace("from: sft", "from: both")
    project.edit("params.yaml", dpo, dpo.rstrip() + "\n" + tone.rstrip() + "\n" + more)
    project.edit("params.yaml", "combine: {}", COMBINE + "#")
    project.edit("params.yaml", "models: [base, sft, dpo]", "models: [base, sft, dpo, both, more]")
    project.edit("params.yaml", "card:\n  model: dpo", "card:\n  model: both")
    project.edit("params.yaml", "Q8_0: {tool: gguf, from: dpo", "Q8_0: {tool: gguf, from: both")

    output = project.repro()

    stages = set(ran(output))
    assert {"train@tone", "combine@both", "evaluate@both-chat", "train@more", "quantize@Q8_0", "card"} <= stages
    assert not {"train@sft", "train@dpo", "base"} & stages
    report = project.json("reports/train/both.json")
    assert report["relative_error"] < 1e-5 and report["rank"] == 8
    told = "- `both` adds the updates of two adapters to `sft`: 0.5 × `dpo` + 0.25 × `tone`, by cat, off that sum by "
    assert told in project.read("reports/card.md")
    assert "combine@both" in project.read("reports/index.html")
    assert "0.5 × dpo + 0.25 × tone" in project.read("reports/index.html")
    commit(project)
    for model in ("models/both", "models/trained/both", "models/more"):
        consumed = {table["stage"]: table for table in trace(project, model)["consumed"]}
        wanted = {"train@sft", "train@dpo", "train@tone"}
        assert consumed.keys() == (wanted | {"train@more"} if model == "models/more" else wanted)
    row = consumed["train@tone"]["rows"][0]["id"]
    found = {path for answer in trace(project, "--row", row)["consumed"] for path in answer["models"]}
    assert {"models/tone", "models/both", "models/trained/both", "models/more"} <= found

    project.edit("params.yaml", "weights: [0.5, 0.25]", "weights: [0.5, 0.5]")
    before = json.dumps(report)
    again = set(ran(project.repro()))
    assert "combine@both" in again and not {name for name in again if name in ("train@dpo", "train@tone", "train@sft")}
    assert json.dumps(project.json("reports/train/both.json")) != before
