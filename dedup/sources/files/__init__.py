"""Texts in files: which files, how they are read, and where each text is."""
