#!/usr/bin/env bash
# PyTorch 2.13.0 with MKL (x86-64), float32 on the CPU, against NumPy 2.4.
#
# A good guess: a square root is the nearest number, as IEEE 754 asks and as every processor's instruction gives it, so
# it cannot differ between two processors; and MKL_CBWR=COMPATIBLE, which is there to make results equal, harms nothing.
# Seen: torch.sqrt hands whole tensors to MKL's vector library, which approximates. Under COMPATIBLE every fifth root is
# one unit in the last place off. On an Intel Xeon 489 of 65,536 roots are off as it is, and 12,757 under COMPATIBLE.
# An AdamW that is not fused takes its roots there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" torch==2.13.0 numpy==2.4.6
cd "$folder"
cat > roots.py <<'PYTHON'
import os

import numpy
import torch

x = numpy.random.default_rng(0).random(1 << 16, dtype=numpy.float32) + numpy.float32(0.1)
nearest = numpy.sqrt(x.astype(numpy.float64)).astype(numpy.float32)
by_numpy, by_torch = numpy.sqrt(x), torch.sqrt(torch.from_numpy(x)).numpy()
off = int((by_torch != nearest).sum())
setting = os.environ.get("MKL_CBWR", "as it is")
print("torch", torch.__version__, "MKL_CBWR", setting, "- off by one unit:", off, "of", x.size)
assert (by_numpy == nearest).all()
assert abs(by_torch - nearest).max() <= numpy.spacing(numpy.float32(1))
assert setting != "COMPATIBLE" or off > x.size // 10
PYTHON
env -u MKL_CBWR env/bin/python roots.py
MKL_CBWR=COMPATIBLE env/bin/python roots.py
