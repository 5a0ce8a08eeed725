"""What orders a join and cuts it down: counters of the hashes, the prefixes of the rows, their index."""
