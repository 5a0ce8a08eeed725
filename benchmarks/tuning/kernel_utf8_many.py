"""`dedup.kernels.utf8.MANY`.

From how many characters beyond ASCII on all characters of a vector are written one by one.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.kernels.utf8.MANY",
    [2, 6, 12, 32],
    searching(),
    stages=("read",),
    corpus="generated:20000,de_gesetze",
)

if __name__ == "__main__":
    main(CURVE)
