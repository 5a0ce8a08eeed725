"""Corpora on disk: files in, batches of texts out, and what is made of them.

Nothing is imported here: each file holds one noun and is imported by its name.
"""
