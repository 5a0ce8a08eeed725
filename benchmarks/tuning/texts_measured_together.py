"""`dedup.sources.texts.MEASURED_TOGETHER`.

Of how many texts the lengths are read before they are cut into blocks.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.sources.texts.MEASURED_TOGETHER",
    [1 << bits for bits in range(9, 21, 3)],
    searching(),
    stages=("read",),
    corpus="generated:100000:150,generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
