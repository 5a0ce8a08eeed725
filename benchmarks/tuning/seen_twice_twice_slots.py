"""`dedup.pairs.seen_twice.TWICE_SLOTS`.

Slots per hash in the table: with fewer, more texts are kept by chance; with more, the table is larger.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.seen_twice.TWICE_SLOTS",
    [1, 2, 4, 8, 16],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
