"""`dedup.passages.maximal.LONGEST_GRAM`.

How many words the hash of an anchor covers.
"""

from benchmarks.tuning.calls import repeating
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.passages.maximal.LONGEST_GRAM",
    [8, 16, 32, 64],
    repeating(min_words=50),
    stages=("repeats",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
