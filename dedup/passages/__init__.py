"""Which passages repeat: maximal stretches, chains across edits, spans."""
