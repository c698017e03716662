"""One training method a module.

`trainer(…)` builds the TRL trainer, `example(content)` what that trainer reads of a row, and
`count_tokens(content, tokenizer)` the row's length.
"""
