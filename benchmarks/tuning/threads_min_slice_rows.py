"""`dedup.runtime.threads.MIN_SLICE_ROWS`.

How many rows a thread works on at a time: see the column of the clock too.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.runtime.threads.MIN_SLICE_ROWS",
    [16, 64, 256, 1024, 4096],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev",
    threads=2,
)

if __name__ == "__main__":
    main(CURVE)
