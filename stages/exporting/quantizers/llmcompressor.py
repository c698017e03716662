"""Four and eight bits by llmcompressor in its own environment: a folder in the compressed-tensors format."""

import tempfile
from pathlib import Path

import msgspec

from stages.exporting import tool_env
from stages.params.release import Llmcompressor


def quantize(weights: Path, calibration: Path, folder: Path, quant: str, params: Llmcompressor) -> str:
    """Writes a model folder. The remark counts the calibration rows, and those that were cut."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        counts = Path(scratch) / "counts.json"
        arguments: dict[str, str | Path | int] = {"weights": weights, "quantized": folder, "quant": quant}
        arguments |= {"device": params.device, "counts": counts}
        if params.calibration:
            arguments |= {"calibration": calibration, "max-seq-length": params.max_seq_length}
        tool_env.run(Path(params.environments()[0]), "quantize.py", arguments, f"quantize.{quant}")
        found = msgspec.json.decode(counts.read_bytes())
    if not params.calibration:
        return ""
    cut = f", {found['cut']} of them cut at {params.max_seq_length} tokens" if found["cut"] else ""
    return f"; calibrated on {found['rows']} rows{cut}"
