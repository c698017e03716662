"""The error whose message is written for the user."""


class UserError(Exception):
    """A problem that the user can solve. One line each: where: what was found: what was wanted; what to do."""
