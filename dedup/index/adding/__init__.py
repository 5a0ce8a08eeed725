"""Texts are added to an index: how they come in, and what the writer makes of a batch."""
