"""`dedup.pairs.skew_join.FEWEST`.

In how many of the sampled texts a hash must occur to be a heavy hitter.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.skew_join.FEWEST",
    [2, 4, 8, 16],
    searching(),
    stages=("join",),
    corpus="family:20000:500",
    also={"dedup.pairs.self_join.FAMILY_LISTS": 1.0},
)

if __name__ == "__main__":
    main(CURVE)
