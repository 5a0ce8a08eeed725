"""`dedup.kernels.sets.CELLS`.

How finely hashes are scattered before the last pass sorts them.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.kernels.sets.CELLS",
    [1, 2, 3, 4, 5],
    searching(),
    stages=("join",),
    corpus="generated:20000,win32_docs",
)

if __name__ == "__main__":
    main(CURVE)
