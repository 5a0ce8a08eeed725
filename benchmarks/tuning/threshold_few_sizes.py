"""`dedup.threshold.FEW_SIZES`.

Up to how many sizes each is computed for itself.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.threshold.FEW_SIZES",
    [1 << bits for bits in range(6, 21, 3)],
    searching(),
    stages=("join",),
    corpus="generated:20000,tang_poetry",
)

if __name__ == "__main__":
    main(CURVE)
