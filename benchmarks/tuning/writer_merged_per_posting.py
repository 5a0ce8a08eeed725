"""`dedup.index.writer.MERGED_PER_POSTING`.

How many postings are merged for each one that is added.
"""

from benchmarks.tuning.calls import adding
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.index.writer.MERGED_PER_POSTING",
    [4, 8, 16, 32],
    adding(2000),
    corpus="generated:20000",
)

if __name__ == "__main__":
    main(CURVE)
