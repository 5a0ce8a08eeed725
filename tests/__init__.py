"""The tests of dedup: against the public API, with oracles in plain Python (`tests.oracles`)."""
