"""A judge for tests: llama.cpp with a tiny model that knows some verdicts; its prompts; answers to be judged."""

from pathlib import Path
from typing import Any

import msgspec

from stages.evaluating.scoring import Answer
from stages.params.judging import Judge

PROMPTS = {
    "pointwise.txt": "Rate {question} {answer} {expected} {criteria} {marks}",
    "pairwise.txt": "Which {question} 1 {first} 2 {second} {expected} {criteria} {marks}",
}
MARKS = "first, equal, second"
TAUGHT = [  # (prompt, what the judge says)
    ("Rate Tea? Hot. Hot. kind bad, good", "As wanted. Verdict: good"),
    ("Rate Tea? Cold. Hot. kind bad, good", "No. Verdict: bad"),
    ("Rate Pie? Now. Now. kind bad, good", "Verdict: good is a lie. Verdict: bad"),
    ("Rate Pie? Soon. Now. kind bad, good", "I cannot say."),
    (f"Which Tea? 1 Hot. 2 Cold. Hot. kind {MARKS}", "Verdict: first"),
    (f"Which Tea? 1 Cold. 2 Hot. Hot. kind {MARKS}", "Verdict: second"),
    (f"Which Pie? 1 Now. 2 Soon. Now. kind {MARKS}", "Verdict: first"),
    (f"Which Pie? 1 Soon. 2 Now. Now. kind {MARKS}", "Verdict: first"),
]
POINTWISE = {"kind": "pointwise", "criteria": "kind", "marks": ["bad", "good"]}
PAIRWISE = {"kind": "pairwise", "criteria": "kind"}
EXPECTED = {"Tea?": "Hot.", "Pie?": "Now."}


def prompts(folder: Path) -> Path:
    """Writes prompts that are short enough for the tiny model."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in PROMPTS.items():
        (folder / name).write_text(f"{text}\n")
    return folder


def entry(url: str, **values: Any) -> dict[str, Any]:
    """An entry of evaluate.judge."""
    return {
        "api": "openai", "base_url": url, "model": "tiny", "api_key_env": None, "temperature": 0.0, "max_tokens": 60,
        "seed": 1, "requests_per_minute": None, "timeout_s": 30.0, "retries": 2, "parallel": 2, "max_requests": 100,
        "max_unjudged_fraction": 0.0, "rubrics": {"kindness": POINTWISE}, **values,
    }  # fmt: skip


def judge(url: str, **values: Any) -> Judge:
    return msgspec.convert(entry(url, **values), Judge)


def answers(*pairs: tuple[str, str]) -> list[Answer]:
    """Answers to questions, in order: (question, answer)."""
    return [Answer(f"id{i}", question, EXPECTED[question], text, {}) for i, (question, text) in enumerate(pairs)]
