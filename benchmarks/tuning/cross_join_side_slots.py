"""`dedup.pairs.cross_join.SIDE_SLOTS`.

Slots per hash in the table of a side.
"""

from benchmarks.tuning.calls import matching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.cross_join.SIDE_SLOTS",
    [2, 4, 16, 64],
    matching(min_words=None),
    stages=("join",),
    corpus="generated:20000,win32_docs",
)

if __name__ == "__main__":
    main(CURVE)
