"""`dedup.pairs.seen_twice.MAX_CANDIDATE_SHARE`.

From which share of likely candidates on the table is left out.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.seen_twice.MAX_CANDIDATE_SHARE",
    [0.2, 0.4, 0.6, 0.8, 1.0],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev,win32_docs",
)

if __name__ == "__main__":
    main(CURVE)
