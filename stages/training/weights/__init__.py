"""Which weights a step trains: one way a module, with three functions.

`load(start, params, machine)` returns the model to train, and the PEFT config with which the trainer wraps it, None if
it is trained as it is. `prepare(trainer, params)` comes after that, before the first step. `save(trainer, folder)`
writes what was trained. Where a way names modules or weights, `check(given, params)` looks for them before `load`.
"""
