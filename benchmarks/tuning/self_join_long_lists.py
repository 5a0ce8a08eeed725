"""`dedup.pairs.self_join.LONG_LISTS`.

How long the lists of the index may be before the prefixes are made longer.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.self_join.LONG_LISTS",
    [1.0, 8.0, 64.0, 512.0],
    searching(),
    stages=("join",),
    corpus="family:3000,licences,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
