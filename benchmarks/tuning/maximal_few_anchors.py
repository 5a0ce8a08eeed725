"""`dedup.passages.maximal.FEW_ANCHORS`.

Up to how many anchors numpy sorts them, so that no kernel is compiled for a short text.
"""

from benchmarks.tuning.calls import repeating
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.passages.maximal.FEW_ANCHORS",
    [1 << bits for bits in range(7, 19, 2)],
    repeating(min_words=50),
    stages=("repeats",),
    corpus="generated:100,generated:1000",
)

if __name__ == "__main__":
    main(CURVE)
