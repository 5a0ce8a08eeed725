"""`dedup.pairs.prefixes.counters.COUNTED_CHUNK`.

How many hashes a thread sorts into parts at a time.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.prefixes.counters.COUNTED_CHUNK",
    [1 << bits for bits in range(13, 23, 2)],
    searching(),
    stages=("join",),
    corpus="generated:100000,versions:2650:45000,chinese:40000",
)

if __name__ == "__main__":
    main(CURVE)
