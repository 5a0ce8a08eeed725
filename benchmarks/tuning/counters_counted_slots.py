"""`dedup.pairs.prefixes.counters.COUNTED_SLOTS`.

How many slots the table of counters has per hash.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.prefixes.counters.COUNTED_SLOTS",
    [1, 2, 4, 8],
    searching(),
    stages=("join",),
    corpus="generated:100000,versions:2650:45000",
)

if __name__ == "__main__":
    main(CURVE)
