"""`dedup.index.writer.COMMIT_DOCUMENTS`.

From how many documents in memory a commit makes a segment.
"""

from benchmarks.tuning.calls import adding
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.index.writer.COMMIT_DOCUMENTS",
    [1 << bits for bits in range(9, 14)],
    adding(2000),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
