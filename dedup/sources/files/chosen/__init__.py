"""Which files are read: those that are named, and those of a folder that its patterns and formats choose."""
