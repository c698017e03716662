"""One way to run a model a module: `generate(model, conversations, …)` returns answers in order,
greedy ones unless it is asked for sampled.

A conversation is {messages, tools}, as chat templates take them. The modules that run quantized models also have
`changed_prompts(model, conversations)`, the number of prompts that are not those of training.
"""
