"""One way to quantize a model a file: `quantize(weights, folder, quant, params)` writes, and tells what it did."""
