"""`dedup.sources.files.formats.arrow.tables.DECODED_ROWS`.

How many rows of Parquet are decoded at a time.
"""

from benchmarks.tuning.calls import reading
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.sources.files.formats.arrow.tables.DECODED_ROWS",
    [1 << bits for bits in range(7, 16, 2)],
    reading(".parquet"),
    stages=("read",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
