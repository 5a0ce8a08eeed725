"""`dedup.passages.spans.KEPT_RUNS`.

For how many places in texts the number of regional indicators that end there is kept.
"""

from benchmarks.tuning.calls import repeating
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.passages.spans.KEPT_RUNS",
    [1, 64, 4096, 65536],
    repeating(min_words=50),
    stages=("spans",),
    corpus="generated:5000",
)

if __name__ == "__main__":
    main(CURVE)
