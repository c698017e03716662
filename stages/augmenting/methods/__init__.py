"""One way to make rows a file: `make(seeds, asking, params)` returns a content, or raises `Declined`."""
