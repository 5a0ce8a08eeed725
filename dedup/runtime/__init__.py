"""What a run has beside its texts: threads, buffers, progress, processors."""
