"""`dedup.pairs.self_join.DEEPER`.

How many more keys longer prefixes may have.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.self_join.DEEPER",
    [1.0, 1.25, 1.5, 2.0, 4.0],
    searching(),
    stages=("join",),
    corpus="family:3000,licences,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
