"""Methods of augmentation, one a file: `make(seeds, session, params)` returns a content or raises `Declined`."""
