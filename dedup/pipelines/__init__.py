"""The order of the stages of each search; nothing else knows it."""
