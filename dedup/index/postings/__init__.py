"""Postings on disk: which documents have a key. Segments have tables, and merges make one segment of several."""
