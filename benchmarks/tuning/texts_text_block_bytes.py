"""`dedup.sources.texts.TEXT_BLOCK_BYTES`.

How many bytes of text are worked on at a time: larger blocks leave the cache, smaller ones are more calls.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.sources.texts.TEXT_BLOCK_BYTES",
    [1 << bits for bits in range(14, 26, 2)],
    searching(),
    stages=("read",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
