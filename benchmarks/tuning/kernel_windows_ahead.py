"""`dedup.kernels.windows.AHEAD`.

How many windows are hashed before their places in memory are looked at.
"""

from benchmarks.tuning.calls import repeating
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.kernels.windows.AHEAD",
    [4, 16, 32, 128],
    repeating(min_words=50),
    stages=("repeats",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
