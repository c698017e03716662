"""What benchmarks/twin.py drives the twin with: planted faults, and sound variations."""
