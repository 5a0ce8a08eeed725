"""`dedup.passages.spans.CHUNK`.

How many bytes of a long text are searched for spans at a time.
"""

from benchmarks.tuning.calls import repeating
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.passages.spans.CHUNK",
    [1 << bits for bits in range(14, 26, 3)],
    repeating(min_words=50),
    stages=("spans",),
    corpus="generated:1000:40000,civil_codes_dev",
)

if __name__ == "__main__":
    main(CURVE)
