"""AWQ by llmcompressor in its own environment: a folder in the compressed-tensors format."""

from pathlib import Path

from stages.exporting import tool_env
from stages.params.release import Llmcompressor


def quantize(weights: Path, calibration: Path, folder: Path, quant: str, params: Llmcompressor) -> str:
    """Writes a model folder. The remark counts the calibration rows."""
    arguments = {
        "weights": weights,
        "calibration": calibration,
        "quantized": folder,
        "max-seq-length": params.max_seq_length,
        "device": params.device,
    }
    tool_env.run(Path(params.environments()[0]), "quantize.py", arguments, f"quantize.{quant}")
    return f"; calibrated on {len(calibration.read_bytes().splitlines())} rows"
