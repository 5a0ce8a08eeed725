"""`dedup.runtime.buffers.RESERVE_FACTOR`.

How much is reserved beyond the forecast: an array that becomes too small is copied.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.runtime.buffers.RESERVE_FACTOR",
    [1.0, 1.25, 1.5, 2.0, 4.0],
    searching(),
    stages=("read",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
