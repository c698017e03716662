"""One training method a file: `trainer(…)` builds the TRL trainer, `dataset(rows)` what it reads."""
