"""Units with their hashes: read once, read again, or kept on disk."""
