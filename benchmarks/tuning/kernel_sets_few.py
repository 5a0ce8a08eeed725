"""`dedup.kernels.sets.FEW`.

From how many hashes on a set is scattered.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.kernels.sets.FEW",
    [2, 8, 32, 128],
    searching(),
    stages=("join",),
    corpus="generated:100000:150,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
