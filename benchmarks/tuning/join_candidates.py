"""`dedup.edit.join.CANDIDATES`.

How many candidates a thread verifies at a time.
"""

from benchmarks.tuning.calls import comparing_titles
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.edit.join.CANDIDATES",
    [1 << bits for bits in range(10, 19, 2)],
    comparing_titles(),
    corpus="generated:5000",
)

if __name__ == "__main__":
    main(CURVE)
