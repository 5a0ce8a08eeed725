"""`dedup.runtime.threads.STRETCH`.

How many rows a serial kernel works on between two checks for signals.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.runtime.threads.STRETCH",
    [1 << bits for bits in range(9, 21, 3)],
    searching(),
    stages=("join",),
    corpus="generated:100000:150",
)

if __name__ == "__main__":
    main(CURVE)
