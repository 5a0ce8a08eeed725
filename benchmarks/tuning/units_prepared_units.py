"""`dedup.hashing.units.PREPARED_UNITS`.

How many units a thread makes sets of at a time: few calls, and work for all threads.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.hashing.units.PREPARED_UNITS",
    [16, 64, 256, 1024, 4096],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev",
    threads=2,
)

if __name__ == "__main__":
    main(CURVE)
