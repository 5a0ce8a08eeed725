"""`dedup.sources.files.batch.BATCH_RECORDS`.

How many short records make a batch.
"""

from benchmarks.tuning.calls import reading
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.sources.files.batch.BATCH_RECORDS",
    [1 << bits for bits in range(8, 18, 2)],
    reading(".parquet"),
    stages=("read",),
    corpus="generated:100000:150",
)

if __name__ == "__main__":
    main(CURVE)
