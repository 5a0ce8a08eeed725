"""`dedup.edit.join.PROBED`.

How many texts a thread looks up at a time.
"""

from benchmarks.tuning.calls import comparing_titles
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.edit.join.PROBED",
    [128, 256, 512, 1024, 2048],
    comparing_titles(),
    corpus="generated:5000",
)

if __name__ == "__main__":
    main(CURVE)
