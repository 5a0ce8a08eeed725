"""The results of a search in memory: evidence, tables, filters."""
