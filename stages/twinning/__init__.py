"""The twin: a small random copy of the base model, and what the real stages must have done to it."""
