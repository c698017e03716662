"""Tasks of lm-eval: it asks and scores, in an environment of its own; models answer here."""
