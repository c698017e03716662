"""Answers of models, and their metrics."""
