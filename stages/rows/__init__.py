"""Canonical rows, and the files and tables that hold them."""
