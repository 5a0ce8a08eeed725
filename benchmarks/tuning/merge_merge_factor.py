"""`dedup.index.postings.merge.MERGE_FACTOR`.

How many segments of one size are merged.
"""

from benchmarks.tuning.calls import adding
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.index.postings.merge.MERGE_FACTOR",
    [2, 4, 8, 16],
    adding(2000),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
