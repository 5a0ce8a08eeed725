"""What is whole on disk, or not there: files, folders, the work directory."""
