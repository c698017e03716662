"""A made-up build of which `weigh` and `examine` say something."""

from typing import Any


def examined(build: Any) -> None:
    """A fine-tune held against what could be had without it; two models by slices and rows."""
    prices = {name: {"once": 100.0, "prompt": 1.0, "answer": 4.0} for name in ("dpo", "base", "sft")}
    build.values["weigh"] = {"dpo": {"metric": "exact_match", "margin": 0.02, "currency": "EUR", "prices": prices}}
    done = {"value": 0.74, "tokens": [820.4, 12.0], "once": 0.0, "per_1000": 0.8684, "verdict": "would have done",
            "why": "", "gain": -0.01, "low": -0.018, "high": -0.002, "more_rows": 0,
            "pays": {"when": "from", "requests": 131580}}  # fmt: skip
    open_ = done | {"verdict": "not settled", "more_rows": 1200, "per_1000": None, "tokens": None, "pays": None}
    build.weighed = {"dpo": {
        "told": "base would have done in place of dpo: worse by at most 0.02 in exact_match. For sft 8 rows do not "
        "settle it.", "model": "dpo", "suite": "chat", "rows": 8, "metric": "exact_match", "better": "higher",
        "margin": 0.02, "currency": "EUR", "value": 0.75, "tokens": [60.0, 12.0], "once": 100.0, "per_1000": 0.108,
        "against": {"base": done, "sft": open_},
    }}  # fmt: skip
    build.values["examine"] = {"last": {"model": "dpo", "against": "sft", "suite": "chat", "metric": "exact_match",
                                        "confidence": 0.95, "min_rows": 4, "regressions": 5, "nearest": 2}}  # fmt: skip
    part = {"by": "label", "value": "refund", "metric": "exact_match", "rows": 40, "groups": 40, "score": 0.5,
            "low": 0.4, "high": 0.6, "against": 0.9, "difference": -0.4, "difference_low": -0.5,
            "difference_high": -0.3, "verdict": "worse"}  # fmt: skip
    slices = [part, part | {"value": "order_status", "difference": 0.01, "verdict": ""},
              part | {"by": "length", "value": "0 to 40 characters", "metric": "compact", "verdict": ""}]  # fmt: skip
    near = {"id": "a" * 24, "places": ["data/raw/desk.jsonl:17"], "similarity": 0.62, "prompt": "Money back, please",
            "answer": '{"intent":"cancel"}'}  # fmt: skip
    rows = [
        {"id": f"{n:024x}", "places": [f"data/raw/desk.jsonl:{n}"], "lost": 1.0, "prompt": f"I want refund {n}",
         "expected": '{"intent":"refund"}', "answer": '{"intent":"cancel"}', "against": '{"intent":"refund"}',
         "slices": {"label": "refund"}, "nearest": [near, near | {"id": "b" * 24, "rejected": "no"}]}
        for n in range(3)
    ]  # fmt: skip
    left = {"label": {"small": 2, "rows": 3, "without": 0}, "group": {"small": 0, "rows": 0, "without": 8}}
    found = {"model": "dpo", "against": "sft", "suite": "chat", "metric": "exact_match", "confidence": 0.95, "rows": 8,
             "looks": 3, "by_chance": 0.2, "regressions": 3, "improvements": 1, "shown": 3, "slices": slices,
             "left_out": left, "training_rows": []}  # fmt: skip
    build.examined = {"last": (found, rows)}
