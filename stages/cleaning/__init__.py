"""The rules of `clean`, small functions by what they look at: each keeps, changes or drops with a reason."""
