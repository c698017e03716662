#!/usr/bin/env bash
# lm-eval 0.4.13, a task of one's own with a test split only and num_fewshot: 2.
#
# A good guess: the shots before a question are other questions; the question itself is left out of the draw.
# Seen: without fewshot_split the shots are drawn from the test split, and some prompts hold the very question with its
# answer: of 20 rows 3, with the default seeds. All that is said is that fewshot_split is None. The smaller the set and the
# more shots there are, the more of the score is copied.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" lm-eval==0.4.13 datasets==5.2.0
mkdir "$folder/tasks"
cat > "$folder/tasks/recall.yaml" <<'YAML'
task: recall
dataset_path: json
dataset_kwargs: {data_files: {test: rows.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "Q: {{question}}\nA:"
doc_to_target: " {{answer}}"
num_fewshot: 2
generation_kwargs: {until: ["\n"]}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
YAML
cat > "$folder/count.py" <<'PYTHON'
import json

from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager

with open("rows.jsonl", "w") as file:
    file.writelines(json.dumps({"question": f"question {i}?", "answer": f"answer {i}"}) + "\n" for i in range(20))
manager = TaskManager(include_path="tasks", include_defaults=False)
results = simple_evaluate("dummy", tasks=["recall"], task_manager=manager, log_samples=True, bootstrap_iters=0)
prompts = {s["doc"]["question"]: s["arguments"][0][0] for s in results["samples"]["recall"]}
own = [question for question, prompt in prompts.items() if prompt.count(question) == 2]
print(f"{len(prompts)} prompts, {len(own)} of them with their own question and answer as a shot")
print(repr(prompts[own[0]]))
assert len(prompts) == 20 and len(own) == 3, "the shots are drawn otherwise"
PYTHON
cd "$folder"
env/bin/python count.py 2> log || { cat log; exit 1; }
