"""Training with TRL: methods, checkpoints, the rows that were consumed."""
