"""One way to run a model a file: `generate(model, conversations, …)` gives greedy answers, in order."""
