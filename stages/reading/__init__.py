"""Raw files to canonical rows: containers hold records, formats give them meaning."""
