"""`dedup.kernels.utf8.RUN`.

How many characters are written one by one from a character beyond ASCII on.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.kernels.utf8.RUN",
    [1, 2, 4, 16],
    searching(),
    stages=("read",),
    corpus="generated:20000,de_gesetze",
)

if __name__ == "__main__":
    main(CURVE)
