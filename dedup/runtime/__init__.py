"""What a run needs in addition to its texts: threads, buffers, progress, memory, processors."""
