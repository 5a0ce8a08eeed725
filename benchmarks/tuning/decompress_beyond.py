"""`dedup.sources.files.decompress.BEYOND`.

How many bytes are read after the size of a run of lines, so that most lines end within them.
"""

from benchmarks.tuning.calls import reading
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.sources.files.decompress.BEYOND",
    [1 << bits for bits in range(12, 22, 2)],
    reading(".jsonl.gz"),
    stages=("read",),
    corpus="generated:5000",
)

if __name__ == "__main__":
    main(CURVE)
