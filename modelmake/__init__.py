"""What looks at a DVC graph of models from outside, and the harness that every stage runs in."""
