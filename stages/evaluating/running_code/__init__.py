"""Code that a model wrote is run with its tests, behind a boundary."""
