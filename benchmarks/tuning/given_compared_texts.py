"""`dedup.results.data.given.COMPARED_TEXTS`.

How many texts are compared at a time with those that were searched.
"""

from benchmarks.tuning.calls import filtering
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.results.data.given.COMPARED_TEXTS",
    [1 << bits for bits in range(6, 18, 2)],
    filtering(),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
