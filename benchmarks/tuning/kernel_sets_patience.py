"""`dedup.kernels.sets.PATIENCE`.

After how many steps back the last pass gives up.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.kernels.sets.PATIENCE",
    [2, 4, 16, 64],
    searching(),
    stages=("join",),
    corpus="generated:20000,win32_docs",
)

if __name__ == "__main__":
    main(CURVE)
