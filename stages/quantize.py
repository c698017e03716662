"""Writes one GGUF file of a model: through the gguf package, or through llama.cpp in its own environment.

Inputs:  weights  model folder
Outputs: gguf     one GGUF file, tokenizer and chat template within
Params:  quantize.<quant>
"""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from modelmake import graph, harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.gguf_writer import write_gguf
from stages.params.release import Gguf, Quant


def by_llama_cpp(weights: Path, gguf: Path, quant: str, environment: Path) -> None:
    """Writes F16, then quantizes it with the llama.cpp of `environment`, a uv project.

    Raises:
        UserError: the environment cannot be built, or llama.cpp refuses.
    """
    lock = hashlib.sha256((environment / "uv.lock").read_bytes()).hexdigest()[:16]
    venv = graph.machine_folder(Path()) / "envs" / f"{environment.name}-{lock}"
    with tempfile.TemporaryDirectory(dir=gguf.parent) as scratch:
        source = Path(scratch) / "F16.gguf"
        write_gguf(weights, source, "F16")
        command = ["uv", "run", "--project", str(environment), "--frozen", "python", str(environment / "quantize.py")]
        finished = subprocess.run(
            [*command, "--source", str(source), "--gguf", str(gguf), "--quant", quant],
            env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(venv)},
        )
    if finished.returncode:
        raise UserError(
            f"quantize.{quant}: {environment}/quantize.py ended with {finished.returncode}: want 0; "
            "its own message stands above (the first use compiles llama.cpp: it wants a C++ compiler)"
        )


def main(weights: In, gguf: Out, quant: str, params: Quant) -> str:
    if isinstance(params, Gguf):
        write_gguf(weights, gguf, quant)
    else:
        by_llama_cpp(weights, gguf, quant, Path(params.environments()[0]))
    before = sum(file.stat().st_size for file in weights.glob("*.safetensors"))
    return f"{quant}: {gguf.stat().st_size / 1e6:.2f} MB from {before / 1e6:.2f} MB of weights"


if __name__ == "__main__":
    harness.run(main)
