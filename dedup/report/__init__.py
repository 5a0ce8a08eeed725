"""A result as a folder on disk, and what is done with it."""
