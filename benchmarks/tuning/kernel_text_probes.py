"""`dedup.kernels.text.PROBES`.

How many full slots per line are looked at before another way is chosen.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.kernels.text.PROBES",
    [2, 4, 8, 16, 32],
    searching(unit="paragraph"),
    stages=("read",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
