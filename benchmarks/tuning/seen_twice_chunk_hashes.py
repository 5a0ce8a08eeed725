"""`dedup.pairs.seen_twice.CHUNK_HASHES`.

How many hashes a thread sorts into parts at a time.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.pairs.seen_twice.CHUNK_HASHES",
    [1 << bits for bits in range(14, 24, 2)],
    searching(),
    stages=("join",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
