"""`dedup.pairs.skew_join.NEAR`.

How many rare hashes a text may have for all of them to be looked up.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.skew_join.NEAR",
    [4, 16, 64, 256],
    searching(),
    stages=("join",),
    corpus="family:20000:500",
    also={"dedup.pairs.self_join.FAMILY_LISTS": 1.0},
)

if __name__ == "__main__":
    main(CURVE)
