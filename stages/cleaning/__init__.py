"""Rules of `clean`: each keeps a row, changes it, or drops it with a reason."""
