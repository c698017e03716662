"""Answers of models to held-out rows, and their metrics."""
