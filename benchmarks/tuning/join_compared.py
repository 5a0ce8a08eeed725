"""`dedup.edit.join.COMPARED`.

How many texts a thread compares at a time with all texts of fitting length.
"""

from benchmarks.tuning.calls import comparing_titles
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.edit.join.COMPARED",
    [8, 16, 32, 64, 128],
    comparing_titles(),
    corpus="generated:5000",
)

if __name__ == "__main__":
    main(CURVE)
