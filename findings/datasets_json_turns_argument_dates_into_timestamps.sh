#!/usr/bin/env bash
# datasets 5.2.0, load_dataset("json") of chats whose tool calls have a date among their arguments.
#
# A good guess: JSON has no dates, so a text stays a text.
# Seen: where every value of a field looks like an ISO 8601 date, they come back as datetime objects: "2024-01-15" with
# hours, and an offset of two hours is subtracted and forgotten. One value elsewhere in the field that is no date ("soon")
# leaves all of them as they were written. So what a template renders, and with it what a model learns to call, depends on
# other rows; `tojson` of a template cannot render a datetime at all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" datasets==5.2.0
cd "$folder"
HF_HUB_OFFLINE=1 HF_HOME="$folder" env/bin/python - <<'PYTHON' 2> log || { cat log; exit 1; }
import json

import datasets


def load(*dates):
    with open(f"{len(dates)}.jsonl", "w") as file:
        for date in dates:
            call = {"function": {"name": "book", "arguments": {"date": date}}}
            file.write(json.dumps({"messages": [{"role": "assistant", "tool_calls": [call]}]}) + "\n")
    rows = datasets.load_dataset("json", data_files=file.name, split="train")
    values = [row["messages"][0]["tool_calls"][0]["function"]["arguments"]["date"] for row in rows]
    print("written:", list(dates), "\nread:   ", [str(value) for value in values], type(values[0]).__name__)
    return values


print("datasets", datasets.__version__)
dates = ["2024-01-15", "2024-02-01T00:00:00+02:00"]
assert [value.isoformat() for value in load(*dates)] == ["2024-01-15T00:00:00", "2024-01-31T22:00:00"]
assert load(*dates, "soon") == [*dates, "soon"]
PYTHON
