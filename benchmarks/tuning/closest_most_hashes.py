"""`dedup.pairs.closest.MOST_HASHES`.

How many hashes are looked through for the closest pair; whether one is told depends on it.
"""

from benchmarks.tuning.calls import finding_nothing
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.closest.MOST_HASHES",
    [250_000, 1_000_000, 4_000_000, 16_000_000],
    finding_nothing(),
    stages=("closest pair",),
    corpus="generated:2000,generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
