"""`dedup.runtime.buffers.SLACK`.

How much larger than requested a buffer is, at most.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.runtime.buffers.SLACK",
    [1 << bits for bits in range(17, 30, 3)],
    searching(),
    stages=("read",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
