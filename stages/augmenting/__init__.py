"""Rows that language models make of training rows."""
