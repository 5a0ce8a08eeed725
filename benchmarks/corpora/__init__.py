"""Texts to measure with, the truth about them, and how an answer is scored."""
