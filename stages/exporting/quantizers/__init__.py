"""One tool a file: `quantize(weights, calibration, folder, quant, params)` writes the folder and tells what was odd."""
