"""`dedup.clusters.stars.BIG_CLUSTER`.

From how many members on a cluster is listed only by its kept text; the listed pairs depend on it.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.clusters.stars.BIG_CLUSTER",
    [10, 100, 1000, 10000],
    searching(),
    corpus="family:5000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
