"""Near-duplicates of texts, by shingles or by embeddings."""
