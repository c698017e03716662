#!/usr/bin/env bash
# trl 1.16.0, pack_dataset on rows of 5, 3 and 1 tokens with blocks of 3: what SFTConfig(packing=True) does by default.
#
# A good guess: packing only moves rows together, as its name says; what does not fit is split, or told.
# Seen: `bfd`, the default, leaves out what a row has above the block, without a word; the documentation says so.
# `bfd_split` keeps all. A row with no token to train on stays, though it is dropped where rows are not packed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" trl==1.16.0 transformers==5.23.0 torch==2.13.0 datasets==5.2.0
cd "$folder"
HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1 env/bin/python - <<'PYTHON' 2> log || { tail -20 log; exit 1; }
import datasets
import trl

rows = [[1, 2, 3, 4, 5], [6, 7, 8], [9]]
labels = [[-100, -100, -100, 4, 5], [6, 7, 8], [-100]]


def kept(strategy):
    dataset = datasets.Dataset.from_dict({"input_ids": rows, "labels": labels})
    packed = trl.pack_dataset(dataset, seq_length=3, strategy=strategy)
    return [sorted(token for block in packed[name] for token in block) for name in ("input_ids", "labels")]


print("trl", trl.__version__)
(tokens, trained), (all_tokens, _) = kept("bfd"), kept("bfd_split")
print("bfd keeps", tokens, "and labels", trained)
print("bfd_split keeps", all_tokens)
assert tokens == [1, 2, 3, 6, 7, 8, 9] and 4 not in trained and all_tokens == [1, 2, 3, 4, 5, 6, 7, 8, 9]
PYTHON
