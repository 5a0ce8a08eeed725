"""`dedup.sources.texts.BLOCK_TEXTS`.

How many short texts are worked on at a time.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.sources.texts.BLOCK_TEXTS",
    [1 << bits for bits in range(8, 18, 2)],
    searching(),
    stages=("read",),
    corpus="generated:100000:150",
)

if __name__ == "__main__":
    main(CURVE)
