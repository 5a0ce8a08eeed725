"""`dedup.pairs.skew_join.SAMPLED`.

How many texts are sampled to find the hashes that very many texts have.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.skew_join.SAMPLED",
    [1 << bits for bits in range(7, 16, 2)],
    searching(),
    stages=("join",),
    corpus="family:20000:500",
    also={"dedup.pairs.self_join.FAMILY_LISTS": 1.0},
)

if __name__ == "__main__":
    main(CURVE)
