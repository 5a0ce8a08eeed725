"""`dedup.pairs.prefixes.counters.COUNTED_TOGETHER`.

How many hashes are counted at a time.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.prefixes.counters.COUNTED_TOGETHER",
    [1 << bits for bits in range(19, 29, 3)],
    searching(),
    stages=("join",),
    corpus="generated:100000,versions:2650:45000,chinese:40000",
)

if __name__ == "__main__":
    main(CURVE)
