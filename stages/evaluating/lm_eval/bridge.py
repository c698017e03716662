"""The way to lm-eval, which runs in an environment of its own: it brings scikit-learn, which transformers would import
in every stage. It asks, and scores; no model is there.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from stages.evaluating.lm_eval import scores
from stages.exporting import tool_env
from stages.params.lm_eval import Task

Request = list[Any]  # [kind, arguments …], as in envs/lm_eval/run_task.py


class Asked(NamedTuple):
    requests: list[Request]
    digest: str  # two runs with the same one ask the same, in the same order


class Row(msgspec.Struct, frozen=True):
    """A question: its id is a hash of its content."""

    id: str
    requests: int  # how many of the requests are of it
    expected: str
    answer: str
    scores: dict[str, tuple[float, float]]  # {metric: statistics}


class Scored(msgspec.Struct, frozen=True):
    """What lm-eval says of a model's answers."""

    rows: list[Row]
    metrics: dict[str, float]
    stderr: dict[str, float]  # of the metrics that it has one of
    held_back: int  # questions that were among the shots drawn from, and would have been shown with their answers
    spaced: dict[str, int]  # {metric: answers that are wrong, and right but for white space}
    unscored: dict[str, int]  # {metric: rows for which the task gives no such score}
    without_answer: int  # questions that have no right answer among their choices
    left_out: str  # between prompt and choice


class Bridge(NamedTuple):
    """A task with its data."""

    name: str
    folder: Path
    params: Task

    def ask(self) -> Asked:
        """What the task asks, in order.

        Raises:
            UserError: lm-eval would decide something in silence, has no such task, or cannot read the data.
        """
        written = self._run(None)
        return Asked(json.loads(written), hashlib.sha256(written).hexdigest())

    def score(self, asked: Asked, answers: list[Any]) -> Scored:
        """The scores of an answer to each request: (log-likelihood, is it the greedy text), log-likelihood, or text.

        Raises:
            UserError: the task asks something else now; or lm-eval cannot score the answers.
        """
        return msgspec.json.decode(self._run({"asked": asked.digest, "answers": answers}), type=Scored)

    def _run(self, answered: dict[str, Any] | None) -> bytes:
        settings = {
            **msgspec.to_builtins(self.params),
            "task": self.name,
            "folder": str(self.folder.resolve()),
            "declared": {name: metric._asdict() for name, metric in scores.declared(self.params).items()},
        }
        with tempfile.TemporaryDirectory() as folder:
            files = {"settings": Path(folder, "settings.json"), "written": Path(folder, "written.json")}
            files["settings"].write_bytes(msgspec.json.encode(settings))
            if answered is not None:
                files["answers"] = Path(folder, "answers.json")
                files["answers"].write_bytes(msgspec.json.encode(answered))
            [environment] = self.params.environments()
            tool_env.run(Path(environment), "run_task.py", files, f"evaluate.tasks.{self.name}")
            return files["written"].read_bytes()
