"""`dedup.kernels.sets.MOST_BITS`.

How many places one scatter writes to, at most.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.kernels.sets.MOST_BITS",
    [8, 12, 16, 20],
    searching(),
    stages=("join",),
    corpus="generated:1000:40000,civil_codes_dev",
)

if __name__ == "__main__":
    main(CURVE)
