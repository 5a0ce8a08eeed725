"""`dedup.sources.files.batch.BATCH_BYTES`.

How many bytes of a file of lines make a batch.
"""

from benchmarks.tuning.calls import reading
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.sources.files.batch.BATCH_BYTES",
    [1 << bits for bits in range(14, 26, 2)],
    reading(".jsonl"),
    stages=("read",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
