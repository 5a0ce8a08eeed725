"""`dedup.index.writer.FLUSH_DOCUMENTS`.

From how many documents in memory a segment is made.
"""

from benchmarks.tuning.calls import adding
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.index.writer.FLUSH_DOCUMENTS",
    [1 << bits for bits in range(12, 18, 2)],
    adding(20000),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
