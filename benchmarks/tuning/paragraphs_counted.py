"""`dedup.text.paragraphs.COUNTED`.

How many bytes have their line breaks counted at a time.
"""

from benchmarks.tuning.calls import searching
from benchmarks.tuning.curve import Curve, main

CURVE = Curve(
    "dedup.text.paragraphs.COUNTED",
    [1 << bits for bits in range(14, 24, 2)],
    searching(unit="paragraph"),
    stages=("read",),
    corpus="generated:20000,ota_dev",
)

if __name__ == "__main__":
    main(CURVE)
