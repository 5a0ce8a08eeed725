"""`dedup.hashing.token_stream.MOST_TEXTS`.

How many short texts are read as tokens at a time.
"""

from benchmarks.tuning.calls import repeating
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.hashing.token_stream.MOST_TEXTS",
    [1 << bits for bits in range(8, 18, 2)],
    repeating(min_words=50),
    stages=("read",),
    corpus="generated:100000:150",
)

if __name__ == "__main__":
    main(CURVE)
