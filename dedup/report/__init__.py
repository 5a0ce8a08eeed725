"""Reports: a result is written to a folder on disk, read again, and applied to the files that were searched."""
