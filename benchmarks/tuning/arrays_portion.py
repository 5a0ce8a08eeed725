"""`dedup.runtime.arrays.PORTION`.

How many hashes a thread works on at a time: few calls, and work for all threads.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.runtime.arrays.PORTION",
    [1 << 11, 1 << 13, 1 << 15, 1 << 17, 1 << 19],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev",
    threads=2,
)

if __name__ == "__main__":
    main(CURVE)
