"""One way to run a model a module: `generate(model, conversations, …)` returns answers in order,
greedy ones unless it is asked for sampled.

A conversation is {messages, tools}, as chat templates take them. The modules that run quantized models also have
`NORMALIZES`, whether they bring texts to the tokenizer's normal form, as training does;
`prompt_tokens(model, conversations)`, the token ids of the prompts that `generate` makes; `reading(model, longest=…,
…)`, a context in which a `forced.Reader` gives the logits of tokens that are there already;
`tensor_types(model)`; and `sampling_defaults(model)`, by which servers sample what is evaluated greedily here.
"""
