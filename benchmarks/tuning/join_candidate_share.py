"""`dedup.edit.join.CANDIDATE_SHARE`.

From which share of candidates on all pairs of a band are verified.
"""

from benchmarks.tuning.calls import comparing_titles
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.edit.join.CANDIDATE_SHARE",
    [0.03125, 0.0625, 0.125, 0.25, 0.5],
    comparing_titles(),
    corpus="generated:5000",
)

if __name__ == "__main__":
    main(CURVE)
