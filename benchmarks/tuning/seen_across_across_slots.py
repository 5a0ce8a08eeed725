"""`dedup.pairs.seen_across.ACROSS_SLOTS`.

Slots per hash in the table of a side, if the texts are read twice.
"""

from benchmarks.tuning.calls import matching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.seen_across.ACROSS_SLOTS",
    [2, 4, 16, 64],
    matching(min_words=None, memory="160MB"),
    stages=("mark", "read"),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
