"""The exact search in stages that any engine can run: each is a function of batches, and knows no engine."""
