"""Quantizers, and writers of the files that they make."""
