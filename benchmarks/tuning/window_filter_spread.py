"""`dedup.passages.window_filter.SPREAD`.

Slots of the table of windows per slot of the table of texts.
"""

from benchmarks.tuning.calls import repeating
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.passages.window_filter.SPREAD",
    [1, 2, 4, 8],
    repeating(min_words=50, memory="96MB"),
    stages=("repeats",),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
