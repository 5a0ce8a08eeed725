"""`dedup.pairs.compact_filter.MOST_SAMPLED`.

From which share of the hash space on all hashes are held instead.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.compact_filter.MOST_SAMPLED",
    [0.1, 0.3, 0.5, 0.7, 0.9],
    searching(threshold=0.7),
    corpus="generated:20000",
    also={"dedup.pairs.compact_filter.LEAST_CHARACTERS": 0},
)

if __name__ == "__main__":
    main(CURVE)
