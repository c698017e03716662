"""One quantization tool a module.

`quantize(weights, calibration, folder, quant, params)` writes the folder and returns a remark for the stage's summary
line, beginning with "; ", or an empty string.
"""
