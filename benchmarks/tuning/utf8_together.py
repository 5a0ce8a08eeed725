"""`dedup.sources.utf8.TOGETHER`.

How many texts Python encodes before they are copied.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.sources.utf8.TOGETHER",
    [8, 16, 32, 64, 128],
    searching(),
    stages=("read",),
    corpus="generated:20000,de_gesetze",
)

if __name__ == "__main__":
    main(CURVE)
