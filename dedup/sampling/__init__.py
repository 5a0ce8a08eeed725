"""Which shingle and threshold fit a collection: a sample of it against all of it."""
