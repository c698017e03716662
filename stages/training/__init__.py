"""Training with TRL: methods, resuming, the rows consumed."""
