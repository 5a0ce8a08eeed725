"""New files without the removed records, in the format of the old ones; all other bytes are unchanged."""
