"""`dedup.kernels.self_join.KEY_BUFFER`.

How many candidates are picked before they are worked on.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.kernels.self_join.KEY_BUFFER",
    [32, 128, 512, 2048],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
