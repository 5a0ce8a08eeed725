"""Corpora on disk: files in, a report out, and what is kept of the files."""
