"""`dedup.pairs.self_join.VERSION_LISTS`.

How many entries an entry of the index meets before bitmaps are made of versions.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.self_join.VERSION_LISTS",
    [0.0, 4.0, 12.0, 24.0, 48.0, 1e9],
    searching(),
    stages=("join",),
    corpus="generated:20000,versions:700,ota_dev,licences",
)

if __name__ == "__main__":
    main(CURVE)
