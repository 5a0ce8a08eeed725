"""Texts in files: which files, how they are read, where each text is."""
