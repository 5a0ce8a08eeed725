"""`dedup.results.listed_pairs.PART`.

How many pairs are spelled out at a time.
"""

from benchmarks.tuning.calls import listing
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.results.listed_pairs.PART",
    [1 << bits for bits in range(14, 25, 3)],
    listing(pairs="all"),
    corpus="family:2000",
)

if __name__ == "__main__":
    main(CURVE)
