#!/usr/bin/env bash
# accelerate 1.15.0, a DataLoader of 5 rows in batches of 2, prepared for two processes; and `accelerate launch`.
#
# A good guess: an epoch has each row once, shared by the processes; `accelerate launch --cpu --num_processes 2` starts
# two.
# Seen: 8 rows are read, rows 0, 1 and 2 twice: the last batches are filled with the first rows. With even_batches=False
# none is read twice, and the second process has a batch fewer. The launcher runs the script in one process.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" accelerate==1.15.0 torch==2.13.0 numpy
cd "$folder"
cat > shares.py <<'PYTHON'
import accelerate
import torch
from accelerate.data_loader import prepare_data_loader

print("accelerate", accelerate.__version__)
read = {}
for even in (True, False):
    read[even] = []
    for process in (0, 1):
        loader = torch.utils.data.DataLoader(torch.arange(5), batch_size=2)
        share = prepare_data_loader(loader, num_processes=2, process_index=process, even_batches=even, put_on_device=False)
        read[even].append([batch.tolist() for batch in share])
    print("even_batches", even, read[even])
rows = sorted(row for share in read[True] for batch in share for row in batch)
assert rows == [0, 0, 1, 1, 2, 2, 3, 4], rows
assert [len(share) for share in read[False]] == [2, 1]
PYTHON
env/bin/python shares.py
cat > who.py <<'PYTHON'
from accelerate import PartialState

print("process", PartialState(cpu=True).process_index, "of", PartialState().num_processes)
PYTHON
env/bin/accelerate launch --cpu --num_processes 2 who.py 2> log | tee said
[ "$(cat said)" = "process 0 of 1" ] || { tail -5 log; echo "accelerate launch starts two processes now"; exit 1; }
