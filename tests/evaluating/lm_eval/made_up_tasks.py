"""Small tasks of lm-eval, written into folders."""

import json
import re
from pathlib import Path
from typing import Any

from stages.params.lm_eval import Task

PARAMS = Task(
    metrics=["acc", "acc_norm"], num_fewshot=0, seed=3, apply_chat_template=False, system_instruction=None, until=None,
    max_gen_toks=None, strip_answers=False, max_rows=None, batch_size=4,
)  # fmt: skip
COLOURS = ["red", "green", "blue", "dark blue", "a shade of green"]
QUESTIONS = [
    {"question": f"Which colour has number {n}?", "colours": COLOURS, "answer": n % len(COLOURS)} for n in range(20)
]
CHOICES = {
    "output_type": "multiple_choice", "doc_to_text": "Q: {{question}}\nA:", "doc_to_target": "{{answer}}",
    "doc_to_choice": "{{colours}}",
    "metric_list": [{"metric": m, "aggregation": "mean", "higher_is_better": True} for m in ("acc", "acc_norm")],
}  # fmt: skip
RECALL = {
    "output_type": "generate_until", "doc_to_text": "Q: {{question}}\nA:", "doc_to_target": "{{colours[answer]}}",
    "generation_kwargs": {"until": ["\n"], "max_gen_toks": 8},
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
}  # fmt: skip
TEXTS = {
    "output_type": "loglikelihood_rolling", "doc_to_text": "", "doc_to_target": "{{question}}",
    "metric_list": [
        {"metric": "bits_per_byte", "aggregation": "bits_per_byte", "higher_is_better": False},
        {"metric": "word_perplexity", "aggregation": "weighted_perplexity", "higher_is_better": False},
    ],
}  # fmt: skip


def write(folder: Path, config: dict[str, Any], splits: dict[str, list[dict[str, Any]]] | None = None) -> Path:
    """A folder with the YAML of a task (JSON is YAML) of its name, and its rows, all of the test split by default.

    A field of `config` that ends in `.py` is a file of code there.
    """
    folder.mkdir(parents=True)
    splits = {"test": QUESTIONS} if splits is None else splits
    for split, rows in splits.items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = {
        "task": folder.name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {split: f"{split}.jsonl" for split in splits}},
        **{f"{'training' if split == 'train' else split}_split": split for split in splits},
    }
    code = {name: value for name, value in config.items() if name.endswith(".py")}
    for name, content in code.items():
        (folder / name).write_text(content)
    text = json.dumps({name: value for name, value in (files | config).items() if name not in code})
    (folder / f"{folder.name}.yaml").write_text(re.sub(r'"(!function [\w.]+)"', r"\1", text))
    return folder
