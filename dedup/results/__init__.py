"""What a search gives back in memory: evidence, tables, filters."""
