"""A build with a judge: it marks what was answered, people bear it out, a gate takes it; without it nothing is left."""

import csv
import json
from collections.abc import Iterator
from typing import Any

import pytest

from stages.evaluating.runtimes import llama_cpp
from tests.augmenting.endpoints import Proxy
from tests.conftest import Project, ran
from tests.evaluating.judging import judges

RUBRICS = {"polite": judges.POINTWISE, "better": judges.PAIRWISE}
JUDGES = ["judge@base-chat", "judge@sft-chat", "judge@dpo-chat"]


@pytest.fixture
def proxy(project: Project) -> Iterator[Proxy]:
    """llama.cpp, serving the default model of a tiny build."""
    server = llama_cpp._start(project.path / "models/quantized/Q8_0/model.gguf", threads=1, context_tokens=512)
    with Proxy(server.listening_address) as proxy:
        yield proxy
    del server


def say(text: str) -> tuple[int, dict[str, str], str]:
    return 200, {}, json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})


def entry(url: str, **values: Any) -> str:
    return f"  judge: {json.dumps({'chat': judges.entry(url, rubrics=RUBRICS, max_requests=5000, **values)})}\n"


def calibrate(project: Project, rubric: str) -> tuple[int, str]:
    return project.run("python", "-m", "stages.commands.cli", "judge", "calibrate", "chat", rubric)


@pytest.mark.slow
def test_a_judge_is_built_borne_out_gated_and_forgotten(project: Project, proxy: Proxy) -> None:
    judges.prompts(project.path / "stages/evaluating/judging/prompts")
    none = next(line for line in project.read("params.yaml").splitlines() if line.startswith("  judge: {}")) + "\n"
    strict, patient = entry(proxy.url), entry(proxy.url, timeout_s=29.0)
    project.edit("params.yaml", none, strict)
    code, output = project.run("dvc", "repro")
    assert code != 0 and "answers have no mark by polite (" in output, "the default model knows no verdicts"
    for file in (project.path / ".dvc/cache/modelmake/archives/judge").rglob("*.json"):
        file.unlink()
    proxy.scripted, sent = [say("Verdict: good. Verdict: first")] * 5000, len(proxy.requests)
    project.edit("params.yaml", strict, patient)

    stages = ran(project.repro())

    assert {*JUDGES, "compare"} <= {*stages} and not any(name.startswith(("answer@", "evaluate@")) for name in stages)
    asked = len(proxy.requests)
    assert asked > sent and len(set(proxy.requests[sent:])) == asked - sent
    scores = project.json("reports/metrics.json")
    assert {model: of_model["judged.polite"] for model, of_model in scores.items()} == dict.fromkeys(scores, 1.0)
    assert scores["sft"]["judged.better"] == 0.5, "it always prefers the first"
    assert ran(project.repro()) == []

    assert calibrate(project, "polite")[0] == 1
    for model in ("sft", "dpo"):
        (sheet,) = project.path.glob(f"reviews/{model}-chat-polite-*.csv")
        with sheet.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
        folder = sheet.with_suffix("")
        folder.mkdir()
        marks = [f"{line['id']},{'bad' if i == 0 else 'good'}" for i, line in enumerate(lines)]
        (folder / "anna.csv").write_text("\n".join(["id,verdict", *marks]))
    code, output = calibrate(project, "polite")
    assert code == 0 and "enough for a gate" in output, output
    gate = "    polite: {model: sft, metric: judged_corrected.polite, against: null, bound: 0.1, where: null}\n"
    project.edit("params.yaml", "  gates:", "  gates: # bound\n" + gate + "  #")

    stages = ran(project.repro())

    assert {*JUDGES, "compare"} <= {*stages} and len(proxy.requests) == asked
    assert project.json("reports/gate.json")["gates"]["polite"]["value"] < 1
    project.edit("params.yaml", gate, "")
    project.edit("params.yaml", patient, none)
    code, output = project.run("dvc", "repro")
    assert code != 0 and "judged, but nobody judges these in params.yaml any more: `rm reports/evaluate/" in output
    for file in (project.path / "reports/evaluate").glob("*.judge.*"):
        file.unlink()
    project.repro()
    assert "judged.polite" not in project.json("reports/metrics.json")["sft"]
