"""Raw files to canonical rows."""
