"""`dedup.sources.files.decompress.PIECE`.

How many bytes of a compressed file are unpacked at a time.
"""

from benchmarks.tuning.calls import reading
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.sources.files.decompress.PIECE",
    [1 << bits for bits in range(14, 24, 2)],
    reading(".jsonl.gz"),
    stages=("read",),
    corpus="generated:5000",
)

if __name__ == "__main__":
    main(CURVE)
