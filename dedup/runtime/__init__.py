"""What a run needs beside its texts: threads, buffers, progress, memory, processors."""
