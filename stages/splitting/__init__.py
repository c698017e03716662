"""What `split` keeps out of training: held-out questions, the golden set, text of evaluation sets."""
