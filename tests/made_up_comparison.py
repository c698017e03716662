"""Builds of a project in git and in a DVC cache that never ran: two releases, an experiment and the working tree."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from modelmake import artifacts
from stages.evaluating.scoring import Answer
from tests.commands.test_looks import gate as looked_at
from tests.made_up_build import answer, entry
from tests.made_up_build import gate as judged
from tests.made_up_history import MadeUpProject, jsonl

RIGHT = '{"intent":"refund"}'
WRONG = '{"intent":"warranty"}'
DECLARED = {"exact_match": {"better": "higher", "least": 0, "most": 1, "source": "made up"}}
ROWS = 20
EVERY = frozenset(range(ROWS))


def answers(right: frozenset[int], rows: frozenset[int] = EVERY) -> list[Answer]:
    """Answers to the questions with these numbers, some of them right."""
    return [_one(n, n in right) for n in sorted(rows)]


def _one(n: int, right: bool) -> Answer:
    given = answer(f"{n:024x}", RIGHT if right else WRONG, right, f"Where is parcel {n}?")
    return msgspec.structs.replace(given, scores={"exact_match": given.scores["exact_match"]})


def json_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


class Releases:
    """The project. A change of the attributes is in the next build."""

    def __init__(self, root: Path) -> None:
        self.project = MadeUpProject(root)
        (root / "dvc.yaml").write_text("stages: {}\n")
        (root / ".dvc").mkdir()
        (root / ".dvc/config").write_text("[core]\n    no_scm = true\n")
        self.right = frozenset(range(16))  # of sft
        self.rows = EVERY
        self.params: dict[str, Any] = {"train.sft.learning_rate": 0.002, "train.sft.loss_type": ["nll"]}
        self.history = [{"step": 10, "loss": 2.0}, {"step": 20, "loss": 0.5}, {"step": 20, "eval_loss": 0.75}]
        self.raw = b"raw rows of the first release"
        self.verdict = "ALLOW"
        self.key = {"symbols": {"stages.train": {"main": "1"}}, "packages": {"torch": "2.12.0"}}
        self.ingested = 5300

    @property
    def root(self) -> Path:
        return self.project.root

    def stage(self, name: str, flags: str, outs: dict[str, Any], **more: Any) -> None:
        """Puts a stage into dvc.lock; flags are `--flag path` of its command."""
        self.project.stage(name, more.get("deps", {}), outs, more.get("params"))
        self.project.stages[name]["cmd"] += f" {flags}"

    def put(self, path: str, content: bytes) -> bytes:
        """Writes a file that is in git."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content)
        return content

    def write(self) -> None:
        """Writes the build: dvc.lock, the cache, and what is in git."""
        counts = {"in": self.ingested, "out": self.ingested - 100, "dropped": {"repeated": 100}}
        self.stage(
            "ingest", "--raw data/raw --report reports/data/ingest.json",
            {"reports/data/ingest.json": json_bytes(counts)}, deps={"data/raw": artifacts.md5(self.raw)},
        )  # fmt: skip
        splits = {"train": {"chat": 4000}, "val": {"chat": 100}, "test": {"chat": len(self.rows)}}
        report = json_bytes({"in": 5200, "out": 5200, "dropped": {}, "splits": splits})
        self.stage("split", "--report reports/data/split.json", {"reports/data/split.json": report})
        key = self.put("keys/train.sft.json", json_bytes(self.key))
        log = json_bytes({"steps": 20, "out": 4000, "history": self.history})
        nested: dict[str, Any] = {}
        for name, value in self.params.items():
            *outer, last = name.split(".")
            place = nested
            for part in outer:
                place = place.setdefault(part, {})
            place[last] = value
        self.stage(
            "train@sft", "--log reports/train/sft.json", {"reports/train/sft.json": log},
            deps={"keys/train.sft.json": artifacts.md5(key)}, params=nested,
        )  # fmt: skip
        self.stage("merge@sft", "--merged models/sft", {"models/sft": {"model.safetensors": log}})
        scores = json_bytes({"rows": len(self.rows), "metrics": {"exact_match": 0.5}, "declared": DECLARED})
        of_models = {"base": answers(frozenset(), self.rows), "sft": answers(self.right, self.rows)}
        for model, given in of_models.items():
            path = f"reports/evaluate/{model}-chat"
            rows = jsonl(*map(msgspec.to_builtins, given))
            self.stage(
                f"evaluate@{model}-chat", f"--scored {path}.jsonl --scores {path}.json",
                {f"{path}.jsonl": rows, f"{path}.json": scores},
            )  # fmt: skip
        value = len(self.right & self.rows) / len(self.rows)
        of_sft = entry(value, (value, value - 0.1, value + 0.1))
        comparison = {"chat": {"base": {"exact_match": entry(0.0)}, "sft": {"exact_match": of_sft}}}
        metrics = {"base": {"exact_match": 0.0}, "sft": {"exact_match": value}}
        found = looked_at("a") | {"verdict": self.verdict}
        found["gates"] = {"sft_answers": judged() | {"verdict": self.verdict, "value": value, "why": "because"}}
        outs = {
            "reports/metrics.json": self.put("reports/metrics.json", json_bytes(metrics)),
            "reports/comparison.json": json_bytes(comparison),
            "reports/gate.json": self.put("reports/gate.json", json_bytes(found)),
        }
        compare = {"suite": "chat", "baseline": "base", "bootstrap_samples": 200, "confidence": 0.95, "seed": 7}
        self.stage(
            "compare", " ".join(f"--{Path(path).stem} {path}" for path in outs), outs,
            params={"compare": compare, "evaluate": {"models": ["base", "sft"], "suites": ["chat"]}},
        )  # fmt: skip
        done = {"verdict": "would have done", "value": 0.79, "gain": -0.01, "low": -0.018, "high": -0.002}
        weighed = {"metric": "exact_match", "currency": "EUR", "value": value, "per_1000": 0.108}
        weighed |= {"against": {"shots": done | {"per_1000": None}}}
        self.stage("weigh@sft", "--weighing reports/weigh/sft.json", {"reports/weigh/sft.json": json_bytes(weighed)})
        part = {"by": "label", "value": "refund", "metric": "exact_match", "rows": 12, "score": value, "low": 0.4,
                "high": 0.9, "difference": 0.6, "difference_low": 0.3, "difference_high": 0.8,
                "verdict": "better"}  # fmt: skip
        examined = {"metric": "exact_match", "slices": [part, part | {"metric": "compact"}]}
        self.stage(
            "examine@last", "--slices reports/examine/last.json", {"reports/examine/last.json": json_bytes(examined)}
        )
        self.stage("quantize@Q8_0", "--quantized models/quantized/Q8_0", {"models/quantized/Q8_0": {"model.gguf": log}})
        pair = {"exact_match": {"model": value, "file": value, "difference": 0.0}}
        parity = json_bytes({"verdict": "pass", "why": [], "rows": 20, "same_answers": 0.95, "metrics": pair})
        self.stage("parity@Q8_0", "--parity reports/parity/Q8_0.json", {"reports/parity/Q8_0.json": parity})
        self.stage("card", "--card reports/card.md", {"reports/card.md": b"card"}, params={"card": {"model": "sft"}})
        self.project.write()

    def release(self, tag: str) -> str:
        """Builds, commits and tags; returns the hash."""
        self.write()
        commit = self.project.commit(f"release {tag}")
        self.project.git("tag", tag)
        return commit

    def experiment(self, name: str) -> str:
        """Builds and commits as `dvc exp` does: under a ref of its own, on HEAD."""
        base = self.project.git("rev-parse", "HEAD")
        self.write()
        commit = self.project.commit(f"dvc: commit experiment {name}")
        self.project.git("reset", "-q", "--hard", base)
        self.project.git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/{name}", commit)
        return commit

    def forget(self, revision: str, path: str) -> None:
        """Removes an output of a build from the cache."""
        lock = self.project.git("show", f"{revision}:dvc.lock")
        entry = lock[lock.index(f"- path: {path}\n") :]
        self.project.cached(re.search(r"md5: (\w+)", entry)[1]).unlink()


def releases(root: Path) -> Releases:
    """v1; v2, which answers two of its questions wrongly and one rightly that was wrong; r8, an experiment on v2."""
    made = Releases(root)
    made.release("v1")
    made.right = made.right - {3, 5} | {18}
    made.params |= {"train.sft.learning_rate": 0.004, "train.sft.warmup_steps": 10}
    made.history = [{"step": 10, "loss": 1.5}, {"step": 20, "loss": 0.4}, {"step": 20, "eval_loss": 0.9}]
    made.verdict = "REJECT"
    made.raw += b", and more"
    made.ingested = 5400
    made.key = {"symbols": {"stages.train": {"main": "2"}}, "packages": {"torch": "2.13.0"}}
    made.release("v2")
    made.right, made.verdict = frozenset(range(19)), "ALLOW"
    made.experiment("r8")
    return made
