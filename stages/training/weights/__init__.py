"""Which weights a step trains: one way a module, each with `load(start, params, machine)`.

It returns the model to train and the PEFT config with which the trainer wraps it, None if it is trained as it is.
"""
