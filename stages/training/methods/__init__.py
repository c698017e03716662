"""One training method a module.

`loss(params)` says which tokens of a row the loss sees, `example(content, sides)` makes what the TRL trainer reads of
the row's tokens, and `trainer(…)` builds that trainer. None tokenizes, cuts or drops a row itself. Where a method has
`check(given, params)`, it refuses what it could not train on, before a model is loaded.
"""
