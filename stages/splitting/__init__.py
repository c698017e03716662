"""What keeps held-out rows out of training."""
