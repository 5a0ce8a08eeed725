"""Measurements of `dedup` beside other tools: speed, memory and agreement in the same row."""
