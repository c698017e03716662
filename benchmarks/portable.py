"""Which settings of PyTorch's CPU kernels give the same bytes on other processors? Prints digests, to compare by eye.

Each setting runs in a process of its own with one thread: single operations on fixed inputs, then the training of a
tiny transformer with fused AdamW, whose CPU seconds are shown too. docs/portable.md has what each processor gave.

    python benchmarks/portable.py [--steps 60] [--json]
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from modelmake.running.platform import processor

SETTINGS = {
    "as it is": {},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "avx2, MKL AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2"},
    "avx2, MKL AVX2,STRICT": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2,STRICT"},
    "avx2, MKL COMPATIBLE": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE"},
}
ONE_ARGUMENT = ("exp", "log1p", "tanh", "sin", "cos", "sigmoid", "erf", "rsqrt", "sqrt", "reciprocal")
SIZES = (
    (1, 128, 128), (1, 1024, 128), (2, 8, 8), (4, 4, 4), (8, 8, 8), (5, 32, 7), (16, 16, 8), (33, 17, 65),
    (32, 128, 32), (128, 384, 128), (256, 128, 384), (1000, 1024, 128),
)  # fmt: skip
WIDTH, HEADS, VOCABULARY = 128, 4, 1024


def fixed(*shape: int) -> Tensor:
    """Numbers in [-0.5, 0.5) that no kernel of floating point makes."""
    count = torch.Size(shape).numel()
    mixed = torch.arange(count, dtype=torch.int64) * 2654435761 % 2**32
    return (mixed.to(torch.float64) / 2**32 - 0.5).to(torch.float32).view(shape)


def operations() -> Iterator[tuple[str, Tensor]]:
    """(name, result) of single operations."""
    x = fixed(16, 256)
    for name in ONE_ARGUMENT:
        yield name, getattr(torch, name)(x.abs() + 0.1)
    yield "pow", torch.pow(10000.0, -x.abs())
    yield "silu", functional.silu(x)
    yield "gelu", functional.gelu(x)
    yield "mean of squares", x.pow(2).mean(-1)
    yield "log_softmax", torch.log_softmax(x, -1)
    yield "embedding sums", torch.zeros(16, 256).index_add_(0, torch.arange(16) % 3, x)
    q = fixed(1, 4, 32, 32)
    yield "attention", functional.scaled_dot_product_attention(q, q.flip(2), q.flip(3), is_causal=True)
    for rows, columns, inner in SIZES:
        yield f"matmul {rows}×{inner}×{columns}", fixed(rows, inner) @ fixed(columns, inner).t()
    torch.manual_seed(0)
    yield "normal", torch.empty(1000).normal_(0, 0.02)


class Block(nn.Module):
    """One layer of a transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.up, self.down = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(3 * WIDTH, WIDTH, bias=False)
        self.norms = nn.ModuleList(nn.RMSNorm(WIDTH) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        parts = self.qkv(self.norms[0](x)).view(batch, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(x.shape))
        return x + self.down(functional.silu(self.up(self.norms[1](x))))


def train(steps: int) -> tuple[str, float]:
    """(digest of the weights, CPU seconds) of a training."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(VOCABULARY, WIDTH), Block(), Block(), nn.Linear(WIDTH, VOCABULARY, bias=False))
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, fused=True)
    began = time.process_time()
    for step in range(steps):
        ids = torch.arange(step, step + 8 * 129, dtype=torch.int64).mul(7919).remainder(VOCABULARY).view(8, 129)
        loss = functional.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return digest(*model.parameters()), time.process_time() - began


def digest(*tensors: Tensor) -> str:
    return hashlib.sha256(b"".join(t.detach().contiguous().numpy().tobytes() for t in tensors)).hexdigest()[:10]


def measure(steps: int) -> dict[str, Any]:
    """What one process gives: {operation: digest}, and of the training its digest and CPU seconds."""
    torch.set_num_threads(1)
    single = {name: digest(result) for name, result in operations()}
    trained, seconds = train(steps)
    return single | {f"{steps} steps": trained, "cpu_s": round(seconds, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--here", action="store_true", help="only this process, with the variables that it has")
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(measure(arguments.steps)))
        return
    found = {}
    for name, variables in SETTINGS.items():
        command = [sys.executable, __file__, "--here", "--steps", str(arguments.steps)]
        done = subprocess.run(command, env=os.environ | variables, stdout=subprocess.PIPE, text=True, check=True)
        found[name] = json.loads(done.stdout)
    if arguments.json:
        print(json.dumps({"processor": processor(), "torch": torch.__version__, "settings": found}, ensure_ascii=False))
        return
    print(f"{processor()}, torch {torch.__version__}\n\n| | {' | '.join(found)} |\n|---|{'---|' * len(found)}")
    for row in found["as it is"]:
        print(f"| {row} | {' | '.join(str(of[row]) for of in found.values())} |")


if __name__ == "__main__":
    main()
