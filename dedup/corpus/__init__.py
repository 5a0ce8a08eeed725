"""Corpora on disk: files in, a report out, in bounded memory, and a run that was stopped goes on where it was."""
