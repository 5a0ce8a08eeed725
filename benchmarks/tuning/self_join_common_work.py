"""`dedup.pairs.self_join.COMMON_WORK`.

How long the lists of the index may be before all hashes are counted.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.self_join.COMMON_WORK",
    [0.01, 0.1, 1.0, 10.0, 100.0],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev,licences",
)

if __name__ == "__main__":
    main(CURVE)
