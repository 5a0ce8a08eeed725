"""`dedup.pairs.closest.MOST_HASHES`.

Up to how many hashes the closest pair is searched; whether one is reported depends on it.
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
