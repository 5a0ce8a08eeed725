"""`dedup.index.postings.merge.MERGE_FACTOR`.

How many times as large as the newer segments the result of a merge may be.
"""

from benchmarks.tuning.calls import adding
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.index.postings.merge.MERGE_FACTOR",
    [2, 3, 4, 6, 8, 16],
    adding(2000),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
