"""`dedup.pairs.compact_filter.PROBED_PLACES`.

At how many places of the collection texts are sampled first.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.compact_filter.PROBED_PLACES",
    [8, 16, 32, 64, 128],
    searching(),
    stages=(),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
