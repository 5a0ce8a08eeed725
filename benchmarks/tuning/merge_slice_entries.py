"""`dedup.index.postings.merge.SLICE_ENTRIES`.

How many postings a step of a merge takes.
"""

from benchmarks.tuning.calls import adding
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.index.postings.merge.SLICE_ENTRIES",
    [1 << bits for bits in range(13, 19, 2)],
    adding(2000),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
