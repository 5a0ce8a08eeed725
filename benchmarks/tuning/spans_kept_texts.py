"""`dedup.passages.spans.KEPT_TEXTS`.

How many texts are kept as strings while spans are widened.
"""

from benchmarks.tuning.calls import repeating
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.passages.spans.KEPT_TEXTS",
    [1, 8, 64, 512],
    repeating(min_words=50),
    stages=("spans",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
