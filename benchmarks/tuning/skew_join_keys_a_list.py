"""`dedup.pairs.skew_join.KEYS_A_LIST`.

How many keys of all texts there are per list in the index of the kept texts.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.skew_join.KEYS_A_LIST",
    [1, 4, 16, 64],
    searching(),
    stages=("join",),
    corpus="family:20000:500",
    also={"dedup.pairs.self_join.FAMILY_LISTS": 1.0},
)

if __name__ == "__main__":
    main(CURVE)
