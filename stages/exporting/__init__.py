"""Quantized models and the files that they are written to."""
