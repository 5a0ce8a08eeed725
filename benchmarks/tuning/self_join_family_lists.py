"""`dedup.pairs.self_join.FAMILY_LISTS`.

How long the lists of the index may be before heavy hitters are looked for first.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.self_join.FAMILY_LISTS",
    [64.0, 256.0, 1024.0, 4096.0, 16384.0],
    searching(),
    stages=("join",),
    corpus="family:5000,family:20000:500,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
