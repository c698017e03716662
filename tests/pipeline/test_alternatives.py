"""Alternatives are entries of params.yaml: answered, scored and weighed by `dvc repro`; without them nothing runs."""

import pytest

from tests.conftest import Project, ran

ALTERNATIVES = """alternatives:
  few_shot:
    runtime: transformers
    model: models/base
    examples: data/splits/train/chat.jsonl
    shots: {choose: similar, n: 2}
    instructions: Answer as JSON.
    answer_schema: null
  guided:
    runtime: llama_cpp
    model: models/quantized/Q8_0
    examples: recipes/no_examples.json
    shots: null
    instructions: null
    answer_schema: {type: object, properties: {n: {type: integer}}, required: [n], additionalProperties: false}
    context_tokens: 512
#"""
WEIGH = """weigh:
  dpo:
    metric: exact_match
    margin: 0.5
    currency: EUR
    prices:
      dpo: {once: 10, prompt: 1, answer: 2}
      base: {once: 0, prompt: 1, answer: 2}
      few_shot: {once: 5, prompt: 1, answer: 2}
      guided: {once: 5, prompt: 1, answer: 2}
#"""
STAGES = {
    "preflight", "answer_alternative@few_shot", "answer_alternative@guided", "evaluate_alternative@few_shot",
    "evaluate_alternative@guided", "weigh@dpo",
}  # fmt: skip


@pytest.mark.slow
def test_alternatives_are_weighed_by_params_alone_and_a_price_answers_nothing_anew(project: Project) -> None:
    for section in ("alternatives", "weigh"):
        project.edit("params.yaml", f"\n{section}: {{}}", f"\n#{section}")
    assert ran(project.repro()) == ["preflight"], "an older params.yaml lacks the sections"

    project.edit("params.yaml", "\n#alternatives", f"\n{ALTERNATIVES}")
    project.edit("params.yaml", "\n#weigh", f"\n{WEIGH}")
    output = project.repro("weigh@dpo")

    assert set(ran(output)) == STAGES
    weighed = project.json("reports/weigh/dpo.json")
    assert weighed["told"] in output and list(weighed["against"]) == ["base", "few_shot", "guided"]
    read = {name: found["tokens"][0] for name, found in weighed["against"].items()}
    assert read["few_shot"] > 2 * read["base"], "examples are paid with every request"
    assert weighed["value"] == project.json("reports/metrics.json")["dpo"]["exact_match"]
    shown = project.json("reports/answers/alternatives/few_shot.json")["examples"]
    assert set(shown) <= {line.split('"')[3] for line in project.read("data/splits/train/chat.jsonl").splitlines()}
    assert project.json("reports/answers/alternatives/guided.json").keys() == {"broken", "empty", "examples"}

    project.edit("params.yaml", "few_shot: {once: 5", "few_shot: {once: 6")
    assert set(ran(project.repro("weigh@dpo"))) == {"preflight", "weigh@dpo"}
    assert project.json("reports/weigh/dpo.json")["against"]["few_shot"]["once"] == 6
