"""`dedup.runtime.threads.LOOK_AHEAD`.

How many blocks per thread are prepared or wait: see the column of the clock, and the memory.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.runtime.threads.LOOK_AHEAD",
    [1, 2, 4, 6, 12],
    searching(),
    corpus="generated:20000,ota_dev",
    threads=2,
)

if __name__ == "__main__":
    main(CURVE)
