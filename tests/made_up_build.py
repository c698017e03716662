"""Small hand-written builds of any shape: the files that `report` reads, without running the stages."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelmake import artifacts, params, signature
from modelmake.dvc import graph
from stages import preflight, report
from stages.evaluating import scoring, verdicts
from stages.evaluating.scoring import Answer
from tests.conftest import ROOT
from tests.made_up_examination import examined

METRICS = {"exact_match": 0.75, "compact": 1.0}
FIGURES = {  # of a quantized file, as `answer_quantized` tells them
    "prompts": {"changed": 1, "begin_twice": 0, "normal_form": "NFC", "not_normal": 2,
                "shapes": {"system": "refused", "several turns": "same", "tools": "changed"}},
    "predictions": {"tokens": 1200, "mean_kl": 0.00024, "kl_99_9": 0.0057, "same_top": 0.992, "nmse": 0.0003,
                    "perplexity": {"model": 1.25, "file": 1.2512}, "perplexity_ratio": 1.00096, "rows_left_out": 0},
    "tensors": {"Q8_0": 15, "F32": 5},
    "sampling": {"temperature": 0.6},
}  # fmt: skip


def answer(row: str, text: str, right: bool, prompt: str = "") -> Answer:
    scores = {"exact_match": (float(right), 1.0), "compact": (1.0, 1.0)}
    return Answer(row, prompt or f"question {row}", '{"intent": "refund"}', text, scores)


def entry(value: float, difference: tuple[float, float, float] | None = None, better: str = "higher") -> dict[str, Any]:
    """A metric of comparison.json.

    Args:
        difference: from the baseline, with the low and high end of its interval.
    """
    most = 1.0 if better == "higher" else None
    high = value + 0.05 if most is None else min(most, value + 0.05)
    result = {"value": value, "low": value - 0.05, "high": high, "better": better, "least": 0, "most": most}
    if difference:
        result |= dict(zip(("difference", "difference_low", "difference_high"), difference, strict=True))
    return result


def gate() -> dict[str, Any]:
    """A gate of gate.json that allows the model."""
    return {
        "verdict": "ALLOW", "model": "sft", "metric": "exact_match", "against": None, "where": None, "suite": "chat",
        "wanted": 0.8, "limit": "at least", "value": 0.995, "low": 0.98, "high": 1.0, "rows": 387, "groups": 387,
        "p_allow": 0.0, "p_reject": 1.0, "level": 0.0025, "smallest_effect": 0.07, "why": "",
    }  # fmt: skip


class Build:
    """The files of a build. Change the attributes before `render` to get another shape."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.values = params.load(ROOT / "params.yaml")
        self.values["train"]["sft"]["rows"] = "chat"
        self.answers = [answer(f"{n:02}", '{"intent":"refund"}', n % 4 > 0) for n in range(8)]
        self.gates: dict[str, dict[str, Any]] = {"sft_answers": gate()}
        self.history = [{"step": 10, "loss": 2.0}, {"step": 20, "loss": 0.5}, {"step": 20, "eval_loss": 0.75}]
        self.comparison: dict[str, Any] = {}
        self.over_long: dict[str, list[str]] = {}  # step -> ids of its rows above max_length
        self.epochs = 1
        self.judged_rows = 0  # in the mix
        self.val_over_long = 0.0  # share of the val rows that are above max_length
        self.shares: dict[str, Any] = {}  # of the report of mix, beside those of every build
        self.omitted: dict[str, int] = {}  # field that the chat template leaves out -> rows
        self.unread: dict[str, dict[str, Any]] = {}  # of the report of ingest
        self.dedup = {"conflicting": 0}
        self.examined: dict[str, Any] = {}  # examination -> (report, rows that lost most)
        self.weighed: dict[str, Any] = {}  # fine-tune -> report
        self.told: dict[str, Any] = {}  # of the reports of evaluate, beside the values
        self.judged: dict[str, Any] = {}  # likewise of judge

    def put(self, name: str, value: Any) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))

    def write(self) -> None:
        """Writes every file."""
        models, quants = self.values["evaluate"]["models"], self.values["quantize"]
        self.put("params.yaml", json.dumps(self.values))
        self.put("data/raw/rows.jsonl", "{}\n")
        for part in ("train", "val", "test"):
            self.put(f"data/splits/{part}/chat.jsonl", "{}\n")
        self.put("data/mixed/chat.jsonl", "{}\n")
        for folder in ("base", *self.values["train"], *(f"trained/{step}" for step in self.values["train"])):
            self.put(f"models/{folder}/model.safetensors", "x" * 2000)
        for quant in quants:
            self.put(f"models/quantized/{quant}/model.gguf", "x" * 500)
            pair = {"model": 0.75, "file": 0.75, "difference": 0.0}
            self.put(
                f"reports/parity/{quant}.json",
                {"verdict": "pass", "why": [], "rows": 8, "same_answers": 1.0, "metrics": dict.fromkeys(METRICS, pair)}
                | FIGURES,
            )
            scoring.write(self.folder / f"reports/parity/{quant}.jsonl", self.answers)
        counts = {"in": 5300, "out": 5208, "dropped": {"broken_json": 12, "repeated": 80}}
        self.put(
            "reports/data/ingest.json", counts | {"formats": {"rows.jsonl": {"chat": 5300}}, "unread": self.unread}
        )
        self.put("reports/data/clean.json", {"in": 5208, "out": 5208, "dropped": {}, "changed": {"email": 40}})
        self.put("reports/data/dedup.json", {"in": 5208, "out": 5208, "dropped": {}, "clusters": 0} | self.dedup)
        splits = {"train": {"chat": 5000}, "val": {"chat": 200}, "test": {"chat": 8}}
        self.put("reports/data/split.json", {"in": 5208, "out": 5208, "dropped": {}, "splits": splits})
        sources = {
            "desk": {"in": 4000, "rows": 4000, "share": 0.8, "epochs": 1.0},
            "general": {"in": 1000, "rows": 1000, "share": 0.2, "epochs": 1.0},
        }
        shares = self.shares | {
            "general": {"share": 0.2, "target": [0.1, 0.3], "verdict": "within"},
            "multi_turn": {"share": 0.05, "target": [0.1, 0.5], "verdict": "below"},
            "system": {"share": 0.0, "target": None, "verdict": None},
        }
        mix = {"chat": {"rows": 5000, "sources": sources, "shares": shares}}
        pairs = {"desk": {"in": 300, "rows": 300, "share": 1.0, "epochs": 1.0}}
        mix["pair"] = {"rows": 300, "sources": pairs, "shares": {}}
        mix["judged"] = {"rows": self.judged_rows, "sources": {}, "shares": {}}
        mix["text"] = {"rows": 9, "sources": {}, "shares": {}}  # the base is pretrained on them
        self.put("reports/data/mix.json", {"in": 5300, "out": 5300, "dropped": {}, "repeats": 0, "kinds": mix})
        self.put("reports/data/augment.json", {"in": 40, "out": 33, "dropped": {"repeated": 7}, "methods": {}})
        self.put("reports/train/base.json", {"kind": "tiny", "parameters": 1234567, "history": self.history})
        for step, declared in self.values["train"].items():
            over_long, given = self.over_long.get(step, []), mix[declared["rows"]]["rows"]
            dropped = {"over_long": len(over_long)} if over_long and declared["over_long"] == "drop" else {}
            kept = [f"{n:024x}" for n in range(given - sum(dropped.values()))]
            log = {"in": given, "out": len(kept), "dropped": dropped, "over_long": over_long, "untrained": []}
            tokens = {"rows": len(kept), "total": 90000, "trained": 30000, "longest": 300, "omitted": self.omitted}
            log |= {"tokens": tokens | {"over_long": round(len(over_long) / given, 4)}, "steps": 20}
            log["val_tokens"] = {"rows": 200, "total": 9000, "trained": 3000, "longest": 300, "omitted": {}}
            log["val_tokens"]["over_long"] = self.val_over_long
            self.put(f"reports/train/{step}.json", log | {"history": self.history})
            batches = [{"step": n + 1, "ids": kept[n::20]} for n in range(20)] * self.epochs
            self.put(f"reports/train/{step}.consumed.jsonl", "".join(json.dumps(batch) + "\n" for batch in batches))
        for name, declared in self.values["combine"].items():
            for path in (f"models/{name}", f"models/trained/{name}"):
                self.put(f"{path}/model.safetensors", "x" * 2000)
            worst = {"layer": "model.layers.1.mlp.up_proj", "relative_error": 0.25}
            combined = {name: declared[name] for name in ("adapters", "weights", "method")}
            combined |= {"rank": 64, "layers": 14, "relative_error": 0.0123, "worst": worst}
            self.put(f"reports/train/{name}.json", combined)
        for folder in ("weigh", "examine"):
            self.put(f"reports/{folder}/.gitkeep", "\n")
        for name, weighing in self.weighed.items():
            self.put(f"reports/weigh/{name}.json", weighing)
        for name, (found, rows) in self.examined.items():
            self.put(f"reports/examine/{name}.json", found)
            self.put(f"reports/examine/{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        for model in models:
            for suite in self.values["evaluate"]["suites"]:
                self.put(f"reports/evaluate/{model}-{suite}.json", {"rows": 8, "metrics": METRICS} | self.told)
                if self.judged:
                    self.put(f"reports/evaluate/{model}-{suite}.judge.json", self.judged)
                scoring.write(self.folder / f"reports/evaluate/{model}-{suite}.jsonl", self.answers)
        default = {m: {name: entry(value) for name, value in METRICS.items()} for m in models}
        self.put("reports/comparison.json", {"chat": default} | self.comparison)
        suites = {"chat": {"rows": 8, "sample": [], "answers": ""}}
        found = {"verdict": verdicts.of_all(self.gates), "error": 0.05, "looks": 20, "suites": suites}
        self.put("reports/gate.json", found | {"gates": self.gates})
        assert preflight.decode(self.values)[1] == []

    def render(self) -> Path:
        """Writes the files, runs the stage `report`, and returns the path of the page."""
        self.write()
        (self.folder / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
        self.put(".dvc/config", "[core]\n    no_scm = true\n")
        stages = graph.stages(self.folder)
        self.put("keys/graph.json", graph.described(stages))
        flags = {name: Path(value) for name, value in stages["report"].flags.items()}
        flags |= {name: ROOT / flags[name] for name in ("templates", "layout")}
        interface = signature.read(report.main)
        sections = {
            name: params.section(self.values, signature.section_of(kind, {}), kind, "params.yaml")
            for name, kind in interface.sections.items()
        }
        with contextlib.chdir(self.folder):
            measured = {flags[name].as_posix(): artifacts.measure(flags[name]) for name in interface.inputs}
            report.main(**interface.grouped(flags | sections | {"measured": measured}))
        return self.folder / "reports/index.html"


def no_dpo(build: Build) -> None:
    del build.values["train"]["dpo"]
    build.values["evaluate"]["models"] = ["base", "sft"]
    build.values["quantize"]["Q8_0"]["from"] = build.values["card"]["model"] = "sft"


def many(build: Build) -> None:
    start = "base"
    for n in range(10):
        name = f"step_{n}"
        build.values["train"][name] = {**build.values["train"]["sft"], "from": start}
        start = name
    build.values["evaluate"]["models"] = ["base", "sft", "dpo", "step_4", "step_9"]
    build.values["quantize"] = {f"Q{n}_K_M": build.values["quantize"]["Q8_0"] for n in range(12)}
    for section in ("answer_quantized", "parity"):
        build.values[section] = {name: build.values[section]["Q8_0"] for name in build.values["quantize"]}


def long_names(build: Build) -> None:
    name = "very_long_name_of_a_step_" * 7
    build.values["train"][name] = {**build.values["train"]["sft"], "from": "base"}
    build.values["evaluate"]["models"].append(name)
    build.values["card"]["model"] = name
    declared = {"model": name, "metric": "exact_match", "against": None, "where": None}
    build.values["compare"]["gates"] = {name: declared | {"bound": 0.1}}
    build.gates = {name: gate() | declared | {"value": 0.2, "wanted": 0.1, "low": 0.15, "high": 0.3}}
    build.answers = [answer("a", "x" * 5000, False, "why? " * 400), answer("b", "word " * 1000, True, "y" * 3000)]


def missing(build: Build) -> None:
    """A metric that one model lacks, a suite without a label, a single loss that is NaN, no gate."""
    build.values["suites"]["chat"]["label"] = ""
    build.comparison = {"chat": {
        "base": {"exact_match": entry(0.5)},
        "sft": {"exact_match": entry(0.5, (0.0, -0.1, 0.1)), "compact": entry(1.0)},
        "dpo": {"exact_match": entry(0.4, (-0.1, -0.15, -0.05))},
    }}  # fmt: skip
    build.history = [{"step": 5, "loss": None}]
    build.values["compare"]["gates"] = build.gates = {}


def texts(build: Build) -> None:
    """A second suite, of texts."""
    build.values["answer"]["text"] = {"kind": "likelihood", "batch_size": 8, "context_tokens": 64}
    build.values["suites"]["text"] = {"rows": "text", "metrics": ["bits_per_byte"]}
    build.values["evaluate"]["suites"] = ["chat", "text"]
    metrics = {"bits_per_byte": entry(2.5, better="lower")}
    build.comparison = {"text": {model: metrics for model in ("base", "sft", "dpo")}}


def too_long(build: Build) -> None:
    """Two steps drop rows, two of them the same; one cuts them."""
    build.over_long = {step: [f"{n:024x}" for n in range(5000, 5000 + n)] for step, n in (("sft", 2050), ("dpo", 150))}
    build.values["train"]["more"] = {**build.values["train"]["sft"], "from": "sft", "over_long": "truncate"}
    build.over_long["more"] = build.over_long["sft"][:10]


def combined(build: Build) -> None:
    """Two adapters made one."""
    build.values["train"]["tone"] = build.values["train"]["dpo"] | {"seed": 7}
    none = dict.fromkeys(("svd_rank", "density", "majority_sign_method", "seed", "quantization"))
    both = {"from": "sft", "adapters": ["dpo", "tone"], "weights": [0.5, 0.25], "method": "cat", **none}
    build.values["combine"] = {"both": both}


def undeclared(build: Build) -> None:
    """Other people's data, of which nobody said anything."""
    build.values["card"] |= {"license": None, "language": None, "description": None}
    build.values["report"]["title"] = build.values["datasheet"]["license"] = None
    build.values["mix"]["sources"]["all"]["synthetic"] = None


def failing(build: Build) -> None:
    """A failing gate; rows that are HTML with scripts."""
    injected = '</script><script>document.title = "run"</script><img src=x onerror="document.title = 1"><b>&amp;'
    build.answers = [answer("a", injected, False, injected), answer("b", "", False)]
    build.values["card"]["description"] = build.values["report"]["title"] = injected
    compact = {"verdict": "REJECT", "model": "dpo", "metric": "compact", "value": 0.5, "wanted": 0.9}
    build.gates["dpo_is_compact"] = gate() | compact | {"low": 0.4, "high": 0.6, "why": "compact is 0.5"}
    unmeasured = {"verdict": "REJECT", "wanted": -0.02, "why": "label_accuracy of dpo was not measured"}
    build.gates["dpo_keeps_labels"] = unmeasured


SHAPES: dict[str, Callable[[Build], None]] = {
    shape.__name__: shape
    for shape in (no_dpo, many, long_names, missing, texts, too_long, combined, examined, undeclared, failing)
}
