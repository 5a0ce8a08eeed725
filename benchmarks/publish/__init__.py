"""The page of the benchmarks: its tables, its plots, and the machine."""
