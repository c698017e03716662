"""One way to run a model a module: `generate(model, conversations, …)` returns greedy answers in order.

A conversation is {messages, tools}, as chat templates take them."""
