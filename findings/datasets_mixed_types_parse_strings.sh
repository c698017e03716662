#!/usr/bin/env bash
# datasets 5.2.0, Dataset.from_list(…, on_mixed_types="use_json"), which trainers need where rows have tools whose JSON
# schemas differ in type.
#
# A good guess: a column with texts and numbers keeps each value as it is, stored as JSON.
# Seen: a text beside a number is itself parsed as JSON when it is read back. "007" is 7, "true" is True, "null" is None,
# "[1, 2]" is a list; a text that is no JSON stays. A column of texts alone is left as it is. So the `default: "007"` of one
# row's tool turns into a number because another row's default is 5, and a template renders another schema than was written.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" datasets==5.2.0
"$folder/env/bin/python" - <<'PYTHON'
import datasets

texts = ["007", "true", "null", "[1, 2]", "a word"]


def read_back(values):
    rows = [{"tool": {"default": value}} for value in values]
    return [row["tool"]["default"] for row in datasets.Dataset.from_list(rows, on_mixed_types="use_json")]


alone, mixed = read_back(texts), read_back([*texts, 5])
print("datasets", datasets.__version__)
print("texts alone:    ", alone)
print("beside a number:", mixed)
assert alone == texts, "texts alone are no longer left as they are"
assert mixed == [7, True, None, [1, 2], "a word", 5], "texts in a mixed column are read back otherwise"
PYTHON
