"""`dedup.pairs.compact_filter.PROBED_CHARACTERS`.

How many characters are sampled to see whether most texts are candidates.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.compact_filter.PROBED_CHARACTERS",
    [1 << bits for bits in range(18, 26, 2)],
    searching(),
    corpus="generated:20000",
    also={"dedup.pairs.compact_filter.LEAST_CHARACTERS": 0},
)

if __name__ == "__main__":
    main(CURVE)
