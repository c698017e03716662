"""One way to make rows a file: `make(seeds, asking, params)` gives a content, or raises `Declined`."""
