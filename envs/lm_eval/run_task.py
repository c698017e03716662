"""Writes what a task of lm-eval asks a model, or scores what the model answered; the model is elsewhere.

    python envs/lm_eval/run_task.py --settings settings.json --written asked.json
    python envs/lm_eval/run_task.py --settings settings.json --answers answers.json --written scored.json

Inputs:  --settings  JSON {task, folder, declared: {metric: {better, least, most, source}}, and the fields of
                     evaluate.tasks.<task>}
         --answers   JSON {asked: SHA-256 of what was written for them, answers: an answer to each request:
                     [log-likelihood, is it the greedy text], a log-likelihood, or a text}
Outputs: --written   JSON list of [kind, arguments …]; a prompt is a text, or with a chat template the JSON of
                     {messages, add_generation_prompt}.
                     Of answers {rows: [{id, requests, expected, answer, scores: {metric: statistics}}], metrics and
                     stderr: {metric: as lm-eval says}, held_back: questions, spaced: {metric: answers}, unscored:
                     {metric: rows}, without_answer: questions, left_out: delimiter before choices}

Nothing is downloaded, and nothing is read from, or left in, the caches of the user.
"""

import argparse
import hashlib
import json
import os
import random
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

OFFLINE = {
    "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1", "TQDM_DISABLE": "1",
    "DISABLE_MULTIPROC": "1",
}  # fmt: skip
OF_THE_USER = ("HF_", "HUGGINGFACE_", "LM_HARNESS_", "TRANSFORMERS_")  # name caches, credentials, places of the hub
RESAMPLED = 1000  # times, for standard errors that have no formula


def run(settings: dict[str, Any], answered: dict[str, Any] | None) -> Any:
    """What the task asks, or, with what was answered, its scores.

    Raises:
        Refused: the task cannot be run as declared, or not at all, or it asks something else than was answered.
    """
    from declared_task import Refused

    try:
        return _run(settings, answered)
    except Refused:
        raise
    except Exception as error:  # of the task's own code, of its data, or of what lm-eval makes of them
        place = traceback.extract_tb(error.__traceback__)[-1]
        found = f"{type(error).__name__}: {' '.join(str(error).split())} ({Path(place.filename).name}:{place.lineno})"
        raise Refused(f"lm-eval cannot read or score it: {found}") from error


def _run(settings: dict[str, Any], answered: dict[str, Any] | None) -> Any:
    import declared_task
    from lm_eval.api.model import LM
    from lm_eval.evaluator import evaluate

    class Asked(Exception):
        """All that is asked is known."""

    class Elsewhere(LM):
        """Notes what it is asked, and says what was answered."""

        tokenizer_name = ""

        def __init__(self) -> None:
            super().__init__()
            self.asked: list[Any] = []

        def _said(self, kind: str, requests: list[Any]) -> list[Any]:
            self.asked = [[kind, *request.args] for request in requests]
            if answered is None:
                raise Asked
            if digest(self.asked) != answered["asked"]:
                raise declared_task.Refused(
                    "what it asks is not what was answered: want the same questions in the same order each time; "
                    "take chance and time out of its code"
                )
            return answered["answers"]

        def loglikelihood(self, requests: list[Any]) -> list[Any]:
            return [tuple(answer) for answer in self._said("loglikelihood", requests)]

        def loglikelihood_rolling(self, requests: list[Any]) -> list[Any]:
            return self._said("loglikelihood_rolling", requests)

        def generate_until(self, requests: list[Any]) -> list[Any]:
            texts = self._said("generate_until", requests)
            return [text.strip() for text in texts] if settings["strip_answers"] else texts

        def apply_chat_template(self, messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
            return json.dumps({"messages": messages, "add_generation_prompt": add_generation_prompt})

    task, model = declared_task.load(settings), Elsewhere()
    held = declared_task.hold_back(task) if settings["num_fewshot"] else []
    chosen = drawn(len(task.eval_docs), settings)
    docs = list(task.eval_docs) if chosen is None else [task.eval_docs[place] for place in chosen]
    facts = {"without_answer": declared_task.without_answer(task, docs)}
    try:
        found = evaluate(
            lm=model, task_dict={"tasks": {settings["task"]: task}},
            samples=None if chosen is None else {settings["task"]: chosen},
            bootstrap_iters=RESAMPLED, system_instruction=settings["system_instruction"],
            apply_chat_template=settings["apply_chat_template"], fewshot_as_multiturn=settings["apply_chat_template"],
        )  # fmt: skip
    except Asked:
        return model.asked
    facts |= {"held_back": len(held), "left_out": declared_task.left_out(vars(task.config), settings)}
    return scored(task, found, settings) | facts


def written(found: Any) -> bytes:
    """JSON, as files have it."""
    return json.dumps(found, default=str).encode()


def digest(asked: list[Any]) -> str:
    return hashlib.sha256(written(asked)).hexdigest()


def drawn(rows: int, settings: dict[str, Any]) -> list[int] | None:
    """The rows that are asked, in their order; None: all. lm-eval's own limit takes the first, often of one topic."""
    most = settings["max_rows"]
    return None if most is None or most >= rows else sorted(random.Random(settings["seed"]).sample(range(rows), most))


def scored(task: Any, found: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """The scores of every row, and lm-eval's own of all."""
    import declared_task

    name, filters = settings["task"], {}
    for sample in found["samples"][name]:
        filters.setdefault(sample["filter"], []).append(sample)
    rows: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for sample in next(iter(filters.values())):
        number = seen[sample["doc_hash"]] = seen.get(sample["doc_hash"], -1) + 1
        rows.append(
            {
                "id": sample["doc_hash"][:24] + (f"-{number}" if number else ""),
                "requests": len(sample["arguments"]),
                "expected": _expected(task, sample),
                "answer": _answer(task, sample),
                "scores": {},
            }
        )
    values, errors, spaced, unscored = {}, {}, {}, {}
    for metric in settings["declared"]:
        base, _, part = metric.partition(".")
        samples = filters[part or "none"]
        most = settings["declared"][metric]["most"]
        if lacking := sum(base not in sample for sample in samples):
            unscored[metric] = lacking
        for row, sample in zip(rows, samples, strict=True):  # a row without this metric counts for nothing
            of_row = declared_task.statistics(metric, sample[base], most) if base in sample else (0.0, 0.0)
            row["scores"][metric] = of_row
        values[metric] = found["results"][name][f"{base},{part or 'none'}"]
        error = found["results"][name][f"{base}_stderr,{part or 'none'}"]
        errors |= {} if error == "N/A" else {metric: error}
        if base == "exact_match" and (count := sum(map(_misses_by_space, samples))):
            spaced[metric] = count
    return {"rows": rows, "metrics": values, "stderr": errors, "spaced": spaced, "unscored": unscored}


def _misses_by_space(sample: dict[str, Any]) -> bool:
    """A text is wrong, and would be right without white space around it and around the expected one."""
    given = sample["filtered_resps"][0]
    expected = sample["target"] if isinstance(sample["target"], list) else [sample["target"]]
    return not sample["exact_match"] and isinstance(given, str) and given.strip() in (str(e).strip() for e in expected)


def _expected(task: Any, sample: dict[str, Any]) -> str:
    target = sample["target"]
    if isinstance(target, int) and task.config.doc_to_choice is not None:
        choices = task.doc_to_choice(sample["doc"])
        target = choices[target] if 0 <= target < len(choices) else target
    return target if isinstance(target, str) else json.dumps(target, ensure_ascii=False, default=str)


def _answer(task: Any, sample: dict[str, Any]) -> str:
    """The text that was written, or the choice that was the likeliest."""
    if task.OUTPUT_TYPE == "generate_until":
        return sample["resps"][0][0]
    if task.OUTPUT_TYPE != "multiple_choice":
        return ""
    choices = task.doc_to_choice(sample["doc"])
    likelihoods = [said[0][0] for said in sample["resps"][: len(choices)]]
    return str(choices[likelihoods.index(max(likelihoods))])


def set_apart(caches: str) -> None:
    """Leaves no variable that names a cache or the hub of the user."""
    for name in [name for name in os.environ if name.startswith(OF_THE_USER)]:
        del os.environ[name]
    os.environ |= OFFLINE | {"HF_HOME": caches}


def main() -> None:
    parser = argparse.ArgumentParser(description="Ask or score a task of lm-eval.", allow_abbrev=False)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--answers", type=Path)
    parser.add_argument("--written", type=Path, required=True)
    args = parser.parse_args()
    settings = json.loads(args.settings.read_bytes())
    answered = json.loads(args.answers.read_bytes()) if args.answers else None
    with tempfile.TemporaryDirectory() as caches:
        set_apart(caches)
        from declared_task import Refused

        try:
            found = run(settings, answered)
        except Refused as error:
            sys.exit("\n".join(f"evaluate.tasks.{settings['task']}: {line}" for line in str(error).splitlines()))
        args.written.write_bytes(written(found))


if __name__ == "__main__":
    main()
