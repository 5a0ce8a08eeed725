"""What a sample tells of a collection: how large it is, and which shingle and threshold fit it."""
