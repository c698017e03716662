"""Generation of training rows by language models."""
