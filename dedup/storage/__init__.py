"""What is complete on disk, or not there: files, folders, the work directory."""
