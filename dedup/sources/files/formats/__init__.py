"""Readers of formats, one a file, and what tells formats apart."""
