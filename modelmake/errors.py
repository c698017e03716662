"""The one error that people are meant to read."""


class UserError(Exception):
    """Something the user can mend: where, what was found, what was wanted, what to do; a line each."""
