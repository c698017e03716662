"""A task of lm-eval 0.4.13 as params.yaml declares it. What lm-eval would decide by itself, in silence, is refused."""

import json
import math
import os
import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import lm_eval
import numpy as np
from lm_eval.api import metrics
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks._yaml_loader import load_yaml

Statistics = tuple[float, float]
MEAN = (metrics.mean, lambda value: (value, 1.0))
OTHERS: dict[str, tuple[Any, Callable[[Any], Statistics]]] = {  # {metric: (how it is made of rows, a row's statistics)}
    "bits_per_byte": (metrics.bits_per_byte, lambda value: (-value[0] / math.log(2), value[1])),
    "byte_perplexity": (metrics.weighted_perplexity, lambda value: (-value[0], value[1])),
    "word_perplexity": (metrics.weighted_perplexity, lambda value: (-value[0], value[1])),
    "perplexity": (metrics.perplexity, lambda value: (-value, 1.0)),
}
MOST_TOKENS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")  # the first of them counts


class Refused(Exception):
    """The task cannot be run as it is declared; a line for each reason."""


def load(settings: dict[str, Any]) -> ConfigurableTask:
    """The task, with `settings` in it. The folder of the task becomes the current one: its YAML names files there.

    No bytecode of its code is written there: the folder is an input.

    Raises:
        Refused: there is no such task, or lm-eval would decide something about it that nobody declared.
    """
    name = settings["task"]
    os.chdir(settings["folder"])
    sys.dont_write_bytecode = True  # from here on: lm-eval without its own starts five times slower
    random.seed(settings["seed"])  # tasks may shuffle
    np.random.seed(settings["seed"])
    own = Path(f"{name}.yaml")
    config = load_yaml(own) if own.is_file() else load_yaml(built_in(name)) | {"task": name}
    if problems := _problems(config, settings):
        raise Refused("\n".join(problems))
    for field in ("tag", "group"):
        config.pop(field, None)
    if not own.is_file():
        config["dataset_path"] = os.getcwd()
        if not Path("README.md").is_file():  # of a repository of the hub, whose configurations it names
            config["dataset_name"] = None
    if config.get("output_type", "generate_until") == "generate_until":
        until, most = _ends(config, settings)
        config["generation_kwargs"] = {"until": until, "max_gen_toks": most, "do_sample": False}
    config["num_fewshot"] = settings["num_fewshot"]
    datasets.disable_progress_bars()
    task = ConfigurableTask(config=config)
    if problems := _metric_problems(task, settings):
        raise Refused("\n".join(problems))
    task.set_fewshot_seed(settings["seed"])
    return task


def built_in(name: str) -> Path:
    """The YAML file of a task that comes with lm-eval. Its own index takes half a minute, for all of 14,000 tasks.

    A sign of its name that is no letter and no digit is `_` here; no two names are then the same.

    Raises:
        Refused: there is none.
    """
    spelt = re.escape(name).replace("_", "[^A-Za-z0-9\\s]")
    line = re.compile(rf"^task: ['\"]?{spelt}['\"]? *(#.*)?$", re.MULTILINE)
    for path in sorted((Path(lm_eval.__file__).parent / "tasks").rglob("*.yaml")):
        if line.search(path.read_text("utf-8")):
            return path
    raise Refused(f"no such task: want {name}.yaml in {Path.cwd().name}/, or a name of lm-eval's own")


def _ends(config: dict[str, Any], settings: dict[str, Any]) -> tuple[list[str] | None, int | None]:
    """Where answers end: at which texts, and after how many tokens; None where nobody says."""
    own = config.get("generation_kwargs") or {}
    until = own.get("until") if settings["until"] is None else settings["until"]
    most = next((own[word] for word in MOST_TOKENS if own.get(word) is not None), None)
    return [until] if isinstance(until, str) else until, settings["max_gen_toks"] or most


def _problems(config: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    """What speaks against running a task as declared, a line each."""
    if "class" in config or config.get("task") != settings["task"]:
        return [f"want a YAML file of one task with `task: {settings['task']}`, and no Python class"]
    kind, own = config.get("output_type", "generate_until"), config.get("generation_kwargs") or {}
    found = []
    if config.get("unsafe_code"):
        found.append("unsafe_code: it runs answers as code, with no boundary: want pass_at_1 of a suite (docs/code.md)")
    found += [f"{field}: want a task of texts alone" for field in ("doc_to_image", "doc_to_audio") if config.get(field)]
    if config.get("repeats", 1) != 1:
        found.append("repeats: answers are greedy, and the same each time: want 1")
    if config.get("num_fewshot") == 0 and settings["num_fewshot"]:
        found.append(f"num_fewshot = {settings['num_fewshot']}: want 0, as in its YAML, where the shots may be already")
    if kind == "generate_until":
        until, most = _ends(config, settings)
        if until is None:
            found.append("until = null: its YAML says none, so lm-eval ends answers at a blank line: want texts, or []")
        if most is None:
            found.append("max_gen_toks = null: its YAML says none, so lm-eval cuts answers at 256: want a number")
        if own.get("do_sample") or own.get("temperature") or own.get("num_beams", 1) != 1:
            found.append("generation_kwargs: it samples or searches: want a YAML of your own that does not")
    else:
        none = {"until": None, "max_gen_toks": None, "strip_answers": False}
        found += [f"{field} = {settings[field]!r}: want {json.dumps(none[field])}: {kind} generates nothing"
                  for field in none if settings[field] != none[field]]  # fmt: skip
    if delimiter := left_out(config, settings).strip():
        found.append(f"target_delimiter: lm-eval leaves {delimiter!r} out under a chat template: want gen_prefix in a "
                     "YAML of your own, or apply_chat_template: false")  # fmt: skip
    if kind == "loglikelihood_rolling":
        found += [f"{field} = {settings[field]!r}: {kind} reads texts as they are: want {wanted}"
                  for field, wanted in (("num_fewshot", "0"), ("apply_chat_template", "false"),
                                        ("system_instruction", "null")) if settings[field]]  # fmt: skip
    return found


def left_out(config: dict[str, Any], settings: dict[str, Any]) -> str:
    """What would stand between prompt and choice without a chat template, and does not stand there with one."""
    prefix = config.get("gen_prefix") or ""
    if config.get("output_type") != "multiple_choice" or not settings["apply_chat_template"]:
        return ""
    return "" if prefix and not prefix[-1].isspace() else config.get("target_delimiter", " ")


def _metric_problems(task: ConfigurableTask, settings: dict[str, Any]) -> list[str]:
    """Metrics that the task has not, or that are no sums over rows, a line each."""
    names = {name if f.name == "none" else f"{name}.{f.name}" for name in task.aggregation() for f in task._filters}
    found = []
    for name, declared in settings["declared"].items():
        base = name.partition(".")[0]
        if name not in names:
            found.append(f"metrics: {name!r}: want some of {', '.join(sorted(names))}")
        elif task.aggregation()[base] is not OTHERS.get(base, MEAN)[0]:
            found.append(f"metrics: {name!r}: it is made of all rows together: want a mean over rows")
        elif task.higher_is_better()[base] != (declared["better"] == "higher"):
            found.append(f"metrics: {name!r}: its YAML says higher_is_better: {task.higher_is_better()[base]}: want "
                         f"{declared['better'] == 'higher'}")  # fmt: skip
    return found


def statistics(name: str, value: Any, most: float | None) -> Statistics:
    """The two numbers of a row, whose sums over rows give the metric.

    Raises:
        Refused: they are no numbers, or the metric is not in its range, 0 to `most`.
    """
    numbers = OTHERS.get(name.partition(".")[0], MEAN)[1](value)
    if not all(map(math.isfinite, numbers)) or (most is not None and not 0 <= numbers[0] <= most):
        wanted = "a finite number" if most is None else f"a number from 0 to {most:g}"
        raise Refused(f"metrics: {name!r}: a row has {value}: want {wanted}")
    return float(numbers[0]), float(numbers[1])


def without_answer(task: ConfigurableTask, docs: list[dict[str, Any]]) -> int:
    """How many questions have no right answer among their choices: lm-eval counts all answers to them as wrong.

    Raises:
        Refused: all are such, as where the labels of a test split are kept back.
    """
    if task.OUTPUT_TYPE != "multiple_choice" or callable(task.config.process_results):
        return 0
    count = 0
    for doc in docs:
        choices, right = (
            task.doc_to_choice(doc),
            task.doc_to_text(doc) if task.multiple_input else task.doc_to_target(doc),
        )
        labels = right if isinstance(right, list) else [right]
        count += not any(label in choices if isinstance(label, str) else 0 <= label < len(choices) for label in labels)
    if count == len(docs):
        raise Refused("no question has its right answer among its choices: want labels; take a split that has them")
    return count


def hold_back(task: ConfigurableTask) -> list[int]:
    """Keeps shots that are the question itself out of the draw for it.

    lm-eval does so only where `fewshot_split` is the name of the test split: a task with no other split shows
    questions with their answers.

    Returns:
        How many shots were held back for a question, for each question of which some were; it grows as questions are
        built.
    """
    sampler, build, held = task.sampler, task.fewshot_context, []
    pool, places = list(sampler.fewshot_docs()), defaultdict(set)
    fewshot = task.fewshot_cfg
    spare = int(fewshot.split == task.config.test_split)  # lm-eval then draws one more, in case that it is the question
    for place, doc in enumerate(pool):
        for sign in _signs(task, doc, fewshot.doc_to_text, fewshot.doc_to_choice):
            places[sign].add(place)

    def fewshot_context(doc: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        same = set().union(*(places.get(sign, ()) for sign in _signs(task, doc)))
        if same:
            held.append(len(same))
        sampler.df = [shot for place, shot in enumerate(pool) if place not in same] if same else pool
        if (most := len(sampler.df) - spare) < task.config.num_fewshot:
            raise Refused(f"num_fewshot = {task.config.num_fewshot}: want at most {most}: there are no more shots")
        return build(doc, *args, **kwargs)

    task.fewshot_context = fewshot_context
    return held


def _signs(task: ConfigurableTask, doc: dict[str, Any], text: Any = None, choices: Any = None) -> set[str]:
    """Two questions are the same if they share one of these: the whole record, or what is asked."""
    offered = task.doc_to_choice(doc, choices) if task.config.doc_to_choice is not None else None
    said = [task.doc_to_text(doc, text), offered]
    return {json.dumps(doc, sort_keys=True, default=str), json.dumps(said, default=str)}
